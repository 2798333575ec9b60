/**
 * What few need: who you are, how it was, whether to delete it all, what was wrong, a file to keep.
 *
 * A form gets what it is made with (`el`, `button`, the page's `options`), the `deed` that it asks
 * for and `done(said)`, which takes it away. It is fetched when it is needed, its words with it.
 */

const WORDS = {
  en: {
    deletes: "Delete this conversation, its files and your details for good?",
    deleted: "Your data has been deleted.", notNow: "Not now", dismiss: "Dismiss",
    form: "Before we begin:", name: "Name", email: "E-mail", optional: "(optional)", begin: "Begin",
    csat: "How was this conversation?", scale: "1 = poor, 5 = very good", score: (n) => `${n} of 5`,
    chooseScore: "Choose a number first.", comment: "What could be better?",
    why: "What was wrong?", wrong: "It is wrong", incomplete: "Something is missing",
    offTopic: "Not what I asked", other: "Something else",
  },
  zh: {
    deletes: "永久删除本次对话、文件和您的信息？", deleted: "您的数据已删除。", notNow: "暂不", dismiss: "关闭提示",
    form: "开始之前：", name: "姓名", email: "电子邮箱", optional: "（选填）", begin: "开始",
    csat: "您对本次服务满意吗？", scale: "1 = 不满意，5 = 非常满意", score: (n) => `${n} 分（满分 5 分）`,
    chooseScore: "请先选择分数。", comment: "有什么可以改进？",
    why: "哪里不对？", wrong: "内容有误", incomplete: "不够完整", offTopic: "答非所问", other: "其他",
  },
};

/** All words: those of this file, and those of the widget and the page, which win. */
const worded = ({ language, t }) => ({ ...WORDS[language], ...t });

const CSS = `
.sheet > * { margin: 0 0 .5rem; }
.sheet label { display: block; padding: 0; }
.sheet :is(input, textarea) { display: block; width: 100%; margin-top: .15rem; }
.row button { min-width: 2.75rem; text-align: center; }
.row [aria-pressed=true] { color: var(--on-accent); background: var(--accent); }
.teaser { position: relative; max-width: 17rem; padding-right: 2rem; border: 1px solid var(--rule);
  border-radius: 1rem; background: var(--page); box-shadow: 0 6px 24px #0003;
  animation: rise .18s ease-out; }
.teaser .shut { position: absolute; inset: .25rem .25rem auto auto; padding: .25rem; }
`;

let styled = false;

/** Add the style of what is made here. */
export function dress(root, sheet) {
  if (!root.adoptedStyleSheets.includes(styled)) root.adoptedStyleSheets.push(styled ||= sheet(CSS));
}

/** A message of the page's beside the launcher. */
export const teaser = ({ el, button, icon, options, text, open, shut }) =>
  el("div", { class: "teaser", id: "teaser", role: "status" },
    button({ click: open }, el("bdi", {}, text)),
    button({ class: "shut", "aria-label": worded(options).dismiss, click: shut }, icon("close")));

/** The form before the first message; `fields` is such as "name, email!", ! for required. */
export function welcome({ el, options, deed, done, fields }) {
  const t = worded(options);
  const inputs = fields.split(",").map((field) => {
    const name = field.replace("!", "").trim();
    return el("input", { name, id: name, required: field.includes("!"), maxlength: "100",
      autocomplete: name, type: name === "email" ? "email" : "text" });
  });
  return form(el, "form", () => {
    const given = inputs.filter(({ value }) => value.trim());
    deed(Object.fromEntries(given.map(({ name, value }) => [name, value.trim()])));
    done("");
  }, t, el("p", {}, t.form),
  ...inputs.map((input) => el("label", {}, t[input.name] ?? input.name,
    input.required ? "" : ` ${t.optional}`, input)),
  row(el, send(el, t.begin)));
}

/** The question at the end: 1 to 5, and a word about it. */
export function survey({ el, button, options, deed, done }) {
  const t = worded(options);
  const comment = el("textarea", { rows: "2", maxlength: "2000", "aria-label": t.comment,
    placeholder: t.comment });
  let chosen = 0;
  const scores = [1, 2, 3, 4, 5].map((score) => button({ "aria-label": t.score(score),
    "aria-pressed": "false", mark: `score-${score}`, click: () => {
      chosen = score;
      scores.forEach((one, at) => one.setAttribute("aria-pressed", at + 1 === score));
    } }, String(score)));
  return form(el, "csat", async () => {
    if (!chosen) throw new Error(t.chooseScore);
    await deed(chosen, comment.value.trim() || undefined);
    done(t.thanks);
  }, t, el("h3", {}, t.csat), row(el, ...scores), el("p", { class: "small" }, t.scale),
  el("p", {}, comment), row(el, send(el, t.send), no(button, t, done)));
}

/** The question before all is deleted. */
export function deletion({ el, button, options, deed, done }) {
  const t = worded(options);
  return form(el, "deletion", async () => {
    await deed();
    done(t.deleted);
  }, t, el("p", {}, t.deletes), row(el, send(el, t.forget), no(button, t, done)));
}

/** What was wrong with a reply: one press tells. */
export function reasons({ el, button, options, tell }) {
  const t = worded(options);
  return el("div", { class: "choices" }, el("span", { class: "small" }, t.why),
    ...["wrong", "incomplete", "offTopic", "other"].map((reason) =>
      button({ mark: "reason", click: () => tell(reason) }, t[reason])));
}

/** Save a file, as if its link had been clicked. */
export function save(el, file) {
  const link = el("a", { href: URL.createObjectURL(file), download: "conversation.txt" });
  link.click();
  URL.revokeObjectURL(link.href);
}

/** A form that says what went wrong. */
function form(el, mark, step, t, ...parts) {
  const said = el("p", { class: "trouble", role: "status", mark: "said" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await step();
    } catch (error) {
      said.textContent = error.message || t.refused;
    }
  };
  return el("form", { class: "sheet", mark, submit }, ...parts, said);
}

const send = (el, text) => el("button", { class: "main", type: "submit" }, text);
const no = (button, t, done) => button({ click: () => done("") }, t.notNow);
const row = (el, ...buttons) => el("div", { class: "row" }, ...buttons);
