// Signs in: the session is a cookie that this script never sees.
const TEXTS = {
  en: {
    user: "User", password: "Password", enter: "Sign in", other: "中文",
    401: "User or password is wrong.", 429: "Too many attempts. Try again in five minutes.",
    else: "The server did not answer. Please try again.",
  },
  zh: {
    user: "用户名", password: "密码", enter: "登录", other: "English",
    401: "用户名或密码错误。", 429: "尝试次数过多，请五分钟后再试。",
    else: "服务器没有响应，请重试。",
  },
};
const form = document.querySelector("form");
const alert = document.querySelector("[role=alert]");
const switcher = document.querySelector("#language");
let texts = TEXTS.en;

function setLanguage(language) {
  texts = TEXTS[language];
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = texts[element.dataset.word];
  }
  switcher.textContent = texts.other;
  switcher.lang = language === "zh" ? "en" : "zh-CN";
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
  } catch { /* shown below */ }
  if (status === 200) {
    location.replace("/app/");
    return;
  }
  alert.textContent = texts[status] ?? texts.else;
  form.password.select();
});
switcher.addEventListener("click", () => {
  const language = texts === TEXTS.en ? "zh" : "en";
  document.cookie = `careline_language=${language}; path=/; max-age=31536000; samesite=lax`;
  setLanguage(language);
});
// The language of the cookie, which the app sets too, or else the first known one of the browser's.
const preferred = navigator.languages.find((language) => /^(en|zh)/.test(language)) ?? "en";
const stored = document.cookie.match(/(?:^|; )careline_language=(en|zh)/)?.[1];
setLanguage(stored ?? preferred.slice(0, 2));
