/** The setup page: its settings are applied to the chat in the corner and shown as a snippet. */

const form = document.querySelector("#settings");
const snippet = document.querySelector("#snippet");
const chinese = document.documentElement.lang.startsWith("zh");
const status = document.querySelector("#copied");

for (const option of form.querySelectorAll("option")) {
  option.textContent = chinese ? option.dataset.zh : option.dataset.en;
}

const escapeHtml = (text) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
const toKebabCase = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function show() {
  const fields = [...form.elements].map(({ name, value }) => [name, value.trim()]);
  // undefined restores the widget's default.
  Careline.configure(Object.fromEntries(fields.map(([name, value]) => [name, value || undefined])));
  const isDefault = (name) => form.elements[name].type === "color"
    && form.elements[name].value === form.elements[name].defaultValue;
  const changed = fields.filter(([name, value]) => value && !isDefault(name));
  const attributes = changed.map(([name, value]) => `\n  data-${toKebabCase(name)}="${escapeHtml(value)}"`);
  snippet.textContent = `<script type="module" src="${location.origin}/widget.js"`
    + `${attributes.join("")}></script>`;
}

document.querySelector("#elsewhere").textContent =
  `allowed_origins = ["https://www.example.com"]\n\n`
  + `script-src ${location.origin}; connect-src ${location.origin}; img-src ${location.origin}`;
document.querySelector("#copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(snippet.textContent).catch(() => {
    getSelection().selectAllChildren(snippet); // if the browser forbids copying, the text is selected
  });
  status.textContent = chinese ? "已复制" : "Copied";
});
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();
