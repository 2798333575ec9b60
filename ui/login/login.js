// Signs in: the session is a cookie that this script never sees.
const WORDS = {
  en: {
    user: "User", password: "Password", enter: "Sign in", other: "中文",
    401: "User or password is wrong.", 429: "Too many tries: wait five minutes.",
    else: "The server did not answer: try again.",
  },
  zh: {
    user: "用户", password: "密码", enter: "登录", other: "English",
    401: "用户或密码不正确。", 429: "尝试次数过多，请五分钟后再试。",
    else: "服务器没有响应，请重试。",
  },
};
const form = document.querySelector("form");
const alert = document.querySelector("[role=alert]");
const other = document.querySelector("#language");
let words = WORDS.en;

function speak(language) {
  words = WORDS[language];
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = words[element.dataset.word];
  }
  other.textContent = words.other;
  other.lang = language === "zh" ? "en" : "zh-CN";
  alert.textContent = "";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  alert.textContent = "";
  const body = JSON.stringify(Object.fromEntries(new FormData(form)));
  const headers = { "Content-Type": "application/json" };
  let status = 0;
  try {
    status = (await fetch("/api/session", { method: "POST", headers, body })).status;
  } catch { /* said below */ }
  if (status === 200) {
    location.replace("/app/");
    return;
  }
  alert.textContent = words[status] ?? words.else;
  form.password.select();
});
other.addEventListener("click", () => {
  const chosen = words === WORDS.en ? "zh" : "en";
  document.cookie = `careline_language=${chosen}; path=/; max-age=31536000; samesite=lax`;
  speak(chosen);
});
// What was chosen, here or in the app, else the first of the browser's languages that is known.
const first = navigator.languages.find((one) => /^(en|zh)/.test(one)) ?? "en";
const kept = document.cookie.match(/(?:^|; )careline_language=(en|zh)/)?.[1];
speak(kept ?? first.slice(0, 2));
