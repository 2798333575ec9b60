/** The demo shop: its buttons put a question to the chat widget. */

const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

for (const button of document.querySelectorAll("button[data-ask-en]")) {
  const question = language === "zh" ? button.dataset.askZh : button.dataset.askEn;
  button.title = question;
  button.addEventListener("click", () => window.Careline?.send(question));
}
