// Beside the Gradio app: where the session ended, one notice says so, once, instead of an error for
// each request that follows. Those wait for ever; signing in opens the page anew.
const WORDS = {
  en: ["You are signed out.", "Sign in again"],
  zh: ["您已退出登录。", "重新登录"],
};
const ask = window.fetch;
const never = new Promise(() => {});
let over = false;

function tell() {
  over = true;
  const [said, enter] = WORDS[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
  const notice = document.createElement("dialog");
  notice.id = "signed-out";
  const words = document.createElement("p");
  words.textContent = said;
  const link = document.createElement("a");
  link.href = "/login";
  link.textContent = enter;
  link.autofocus = true;
  notice.append(words, link);
  notice.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(notice);
  notice.showModal();
}

window.fetch = async (input, init) => {
  const path = new URL(input.url ?? input, location.href).pathname;
  if (!path.includes("/gradio_api/")) return ask(input, init);
  if (over) return never;
  const answer = await ask(input, init);
  if (answer.status !== 401) return answer;
  if (!over) tell();
  return never;
};
