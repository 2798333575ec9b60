/**
 * Parts that few visitors need, loaded with their words when they are opened: the contact form, the
 * survey, the deletion, the reasons of a bad rating, the download, the teaser.
 *
 * A form gets its tools (`el`, `button`, the page's `options`), the `action` to call with what was
 * entered, and `close(notice)`, which removes it.
 */

const WORDS = {
  en: {
    deletes: "Permanently delete this conversation, its files and your contact details?",
    deleted: "Your data has been deleted.", notNow: "Cancel", dismiss: "Dismiss",
    form: "Before we start:", name: "Name", email: "E-mail", optional: "(optional)",
    begin: "Start chat", csat: "How was this conversation?", scale: "1 = poor, 5 = excellent",
    score: (n) => `${n} of 5`, chooseScore: "Choose a score first.",
    comment: "How could we improve?", why: "What was wrong?", wrong: "Incorrect",
    incomplete: "Incomplete", offTopic: "Did not answer my question", other: "Other",
  },
  zh: {
    deletes: "确定要永久删除本次会话、文件和您的联系信息吗？", deleted: "您的数据已删除。",
    notNow: "取消", dismiss: "关闭", form: "开始前请填写：", name: "姓名", email: "电子邮箱",
    optional: "（选填）", begin: "开始聊天", csat: "您对本次服务满意吗？",
    scale: "1 = 非常不满意，5 = 非常满意", score: (n) => `${n} 分（满分 5 分）`,
    chooseScore: "请先选择评分。", comment: "您有什么建议？", why: "哪里有问题？",
    wrong: "内容有误", incomplete: "不够完整", offTopic: "答非所问", other: "其他",
  },
};

/** Return the words of this file, of the widget and of the page; the page's win. */
const wordsOf = ({ language, t }) => ({ ...WORDS[language], ...t });

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

let style = null;

/** Add the style of these parts to a shadow root, once. */
export function addStyle(root, sheet) {
  if (!root.adoptedStyleSheets.includes(style)) root.adoptedStyleSheets.push(style ??= sheet(CSS));
}

/** Make the page's message beside the launcher. */
export const teaser = ({ el, button, icon, options, text, open, dismiss }) =>
  el("div", { class: "teaser", id: "teaser", role: "status" },
    button({ click: open }, el("bdi", {}, text)),
    button({ class: "shut", "aria-label": wordsOf(options).dismiss, click: dismiss }, icon("close")));

/** Make the form before the first message; `fields` is for instance "name, email!", ! for required. */
export function welcome({ el, options, action, close, fields }) {
  const t = wordsOf(options);
  const inputs = fields.split(",").map((field) => {
    const name = field.replace("!", "").trim();
    return el("input", { name, id: name, required: field.includes("!"), maxlength: "100",
      autocomplete: name, type: name === "email" ? "email" : "text" });
  });
  return form(el, "form", () => {
    const filled = inputs.filter(({ value }) => value.trim());
    action(Object.fromEntries(filled.map(({ name, value }) => [name, value.trim()])));
    close("");
  }, t, el("p", {}, t.form),
  ...inputs.map((input) => el("label", {}, t[input.name] ?? input.name,
    input.required ? "" : ` ${t.optional}`, input)),
  row(el, submitButton(el, t.begin)));
}

/** Make the survey at the end: a score from 1 to 5 and a comment. */
export function survey({ el, button, options, action, close }) {
  const t = wordsOf(options);
  const comment = el("textarea", { rows: "2", maxlength: "2000", "aria-label": t.comment,
    placeholder: t.comment });
  let choice = 0;
  const scores = [1, 2, 3, 4, 5].map((score) => button({ "aria-label": t.score(score),
    "aria-pressed": "false", mark: `score-${score}`, click: () => {
      choice = score;
      scores.forEach((other, n) => other.setAttribute("aria-pressed", n + 1 === score));
    } }, String(score)));
  return form(el, "csat", async () => {
    if (!choice) throw new Error(t.chooseScore);
    await action(choice, comment.value.trim() || undefined);
    close(t.thanks);
  }, t, el("h3", {}, t.csat), row(el, ...scores), el("p", { class: "small" }, t.scale),
  el("p", {}, comment), row(el, submitButton(el, t.send), cancelButton(button, t, close)));
}

/** Make the question before the visitor's data are deleted. */
export function deletion({ el, button, options, action, close }) {
  const t = wordsOf(options);
  return form(el, "deletion", async () => {
    await action();
    close(t.deleted);
  }, t, el("p", {}, t.deletes),
  row(el, submitButton(el, t.forget), cancelButton(button, t, close)));
}

/** Make the buttons with reasons why a reply was bad. */
export function reasons({ el, button, options, choose }) {
  const t = wordsOf(options);
  return el("div", { class: "choices" }, el("span", { class: "small" }, t.why),
    ...["wrong", "incomplete", "offTopic", "other"].map((reason) =>
      button({ mark: "reason", click: () => choose(reason) }, t[reason])));
}

/** Save a file as a download. */
export function save(el, file) {
  const link = el("a", { href: URL.createObjectURL(file), download: "conversation.txt" });
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Make a form that calls `step` and shows its error. */
function form(el, mark, step, t, ...parts) {
  const status = el("p", { class: "trouble", role: "status", mark: "said" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await step();
    } catch (error) {
      status.textContent = error.message || t.refused;
    }
  };
  return el("form", { class: "sheet", mark, submit }, ...parts, status);
}

const submitButton = (el, text) => el("button", { class: "main", type: "submit" }, text);
const cancelButton = (button, t, close) => button({ click: () => close("") }, t.notNow);
const row = (el, ...buttons) => el("div", { class: "row" }, ...buttons);
