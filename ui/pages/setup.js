/** The operators' page: what is set there is shown by the chat in the corner and as a snippet. */

const form = document.querySelector("#settings");
const snippet = document.querySelector("#snippet");
const chinese = document.documentElement.lang.startsWith("zh");
const said = document.querySelector("#copied");

for (const option of form.querySelectorAll("option")) {
  option.textContent = chinese ? option.dataset.zh : option.dataset.en;
}

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
const dashed = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function show() {
  const all = [...form.elements].map(({ name, value }) => [name, value.trim()]);
  // An empty field leaves it to the widget; undefined takes an earlier value back.
  Careline.configure(Object.fromEntries(all.map(([name, value]) => [name, value || undefined])));
  const usual = (name) => form.elements[name].type === "color"
    && form.elements[name].value === form.elements[name].defaultValue;
  const given = all.filter(([name, value]) => value && !usual(name));
  const attributes = given.map(([name, value]) => `\n  data-${dashed(name)}="${escaped(value)}"`);
  snippet.textContent = `<script type="module" src="${location.origin}/widget.js"`
    + `${attributes.join("")}></script>`;
}

document.querySelector("#elsewhere").textContent =
  `allowed_origins = ["https://www.example.com"]\n\n`
  + `script-src ${location.origin}; connect-src ${location.origin}; img-src ${location.origin}`;
document.querySelector("#copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(snippet.textContent).catch(() => {
    getSelection().selectAllChildren(snippet); // where the browser does not let us, one key is left
  });
  said.textContent = chinese ? "已复制" : "Copied";
});
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();
