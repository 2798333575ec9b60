// Beside the Gradio app: when the session has ended, one notice says so instead of an error for each
// request that follows. Those requests wait forever; signing in loads the page again.
const TEXTS = {
  en: ["You are signed out.", "Sign in again"],
  zh: ["您已退出登录。", "重新登录"],
};
const originalFetch = window.fetch;
const never = new Promise(() => {});
let signedOut = false;

function showNotice() {
  signedOut = true;
  const [text, label] = TEXTS[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
  const notice = document.createElement("dialog");
  notice.id = "signed-out";
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  const link = document.createElement("a");
  link.href = "/login";
  link.textContent = label;
  link.autofocus = true;
  notice.append(paragraph, link);
  notice.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(notice);
  notice.showModal();
}

window.fetch = async (input, init) => {
  const path = new URL(input.url ?? input, location.href).pathname;
  if (!path.includes("/gradio_api/")) return originalFetch(input, init);
  if (signedOut) return never;
  const response = await originalFetch(input, init);
  if (response.status !== 401) return response;
  if (!signedOut) showNotice();
  return never;
};
