/** The open chat: header, lines, what is asked, the message box. */

import { button, el, icon, link } from "./dom.js";
import { row } from "./lines.js";
import { recall } from "./memory.js";
import { Rows } from "./rows.js";
import { sheet } from "./style.js";
import { BASE } from "./wire.js";

const KINDS = "image/*,.pdf,.txt";
const MOST_FILES = 5;
const FOCUSABLE = "button, a, summary, textarea, input, .log";

/** The language of the words, as HTML names it. */
export const tongue = ({ language }) => (language === "zh" ? "zh-CN" : "en");

/** Return what few need: forms and the message beside the launcher, styled where they are shown. */
export async function further(node) {
  const forms = await import(new URL("widget/forms.js", BASE).href);
  forms.dress(node.getRootNode(), sheet);
  return forms;
}

export class Panel {
  #asked = null; // which form is on: welcome, survey, deletion
  #drawing = 0;

  /** Show a conversation; `close()` is called when the customer is done. */
  constructor(conversation, options, close) {
    Object.assign(this, { conversation, options, close, t: options.t });
    this.node = this.#build();
    this.rows = new Rows(this.log, this.lines, {
      make: (line) => row(line, this.t, this.#deeds()),
      older: () => conversation.older(),
      moved: () => (this.latest.hidden = this.rows.isAtEnd),
    });
    this.#attached();
    if (options.form && !recall().who && !recall().conversation) {
      this.#ask("welcome", (who) => conversation.meet(who), options.form);
    }
    this.update();
  }

  /** Move the focus to where the customer goes on. */
  focus() {
    this.rows.toEnd();
    (this.place.querySelector("input, button") ?? this.input).focus();
  }

  #deeds() {
    return {
      say: (...words) => {
        this.say(...words);
        this.input.focus();
      },
      note: (...what) => this.conversation.note(...what),
      reasons: async (tell) => (await further(this.node)).reasons({ el, button, options: this.options, tell }),
    };
  }

  say(...words) {
    this.rows.toEnd();
    this.conversation.say(...words);
  }

  #build() {
    const { t, options } = this;
    this.lines = el("div");
    this.typing = el("div", { class: "typing", id: "typing" },
      el("span", { class: "away" }, t.typing), el("i", { "aria-hidden": "true" }, "●●●"));
    this.log = el("div", { class: "log", id: "log", role: "log", "aria-live": "polite",
      "aria-label": t.title, tabindex: "0" }, this.lines, this.typing);
    this.latest = button({ class: "latest", id: "latest", hidden: true,
      click: () => this.rows.toEnd() }, t.latest);
    this.queue = el("p", { class: "bar", id: "handoff", role: "status", hidden: true });
    this.status = el("p", { class: "bar trouble", id: "status", role: "status", hidden: true });
    this.place = el("div", { class: "place" });
    return el("section", { class: "panel", id: "panel", role: "dialog", "aria-modal": "true",
      "aria-labelledby": "title", lang: tongue(options),
      keydown: (event) => this.#key(event) },
    this.#header(), this.log, this.latest, this.queue, this.status, this.place, this.#composer(),
    this.#footer());
  }

  #header() {
    const { t } = this;
    this.speaker = el("p", { id: "speaker" });
    const item = (name, click) => button({ mark: name, click: () => {
      this.menu.open = false;
      click();
    } }, t[name]);
    this.menu = el("details", { class: "menu" },
      el("summary", { "aria-label": t.menu, mark: "menu" }, icon("more")),
      el("div", {}, item("transcript", () => this.#download()), item("rate", () => this.#survey()),
        item("anew", () => this.conversation.restart()), item("forget", () => this.#ask("deletion", () => this.conversation.forget()))));
    return el("div", { class: "head" }, el("div", {}, el("h2", { id: "title" }, t.title), this.speaker),
      this.menu, button({ id: "close", "aria-label": t.close, click: this.close }, icon("close")));
  }

  #composer() {
    const { t, conversation } = this;
    this.input = el("textarea", { id: "input", rows: "1", dir: "auto", "aria-label": t.label,
      placeholder: t.placeholder, keydown: (event) => this.#typed(event),
      input: () => (conversation.draft.text = this.input.value) });
    this.input.value = conversation.draft.text;
    this.chips = el("div", { class: "chips", hidden: true });
    const file = el("input", { type: "file", class: "away", id: "file", accept: KINDS, multiple: true,
      "aria-label": t.clip, change: () => this.#chosen(file) });
    this.form = el("form", { class: "composer", submit: (event) => this.#submit(event) },
      this.chips, el("label", { class: "clip", mark: "clip" }, icon("clip"), file), this.input,
      el("button", { class: "send", id: "send", type: "submit", "aria-label": t.send },
        icon("send")));
    return this.form;
  }

  #footer() {
    const { t, options } = this;
    const page = /^(https?:)?\//i.test(options.privacy ?? "")
      && link(options.privacy, t.privacy);
    return el("div", { class: "foot" }, el("span", { mark: "privacy" }, t.privacyText, " ", page || ""),
      button({ id: "human", click: () => this.say(t.askHuman) }, t.human));
  }

  // Keys

  #key(event) {
    if (event.key === "Escape" && !event.isComposing) {
      if (this.menu.open) this.menu.open = false;
      else this.close();
    }
    if (event.key === "Tab") this.#trap(event);
  }

  /** Tab goes round inside the chat; Esc leaves it. */
  #trap(event) {
    const all = [...this.node.querySelectorAll(FOCUSABLE)].filter((one) => one.checkVisibility());
    if (event.shiftKey) all.reverse();
    if (this.node.getRootNode().activeElement !== all[all.length - 1]) return;
    event.preventDefault();
    all[0].focus();
  }

  /** Enter sends, but not the Enter that picks a word in a Chinese input method. */
  #typed(event) {
    const composing = event.isComposing || event.keyCode === 229; // what Safari says instead
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const { draft } = this.conversation;
    this.say(this.input.value, this.input.value, draft.files);
    Object.assign(draft, { text: "", files: [] });
    this.input.value = "";
    this.#attached();
    this.input.focus();
  }

  // Files

  async #chosen(input) {
    const files = [...input.files];
    input.value = "";
    const { draft } = this.conversation;
    for (const file of files.slice(0, MOST_FILES - draft.files.length)) {
      try {
        draft.files.push(await this.conversation.attach(file));
        this.#complain("");
      } catch (error) {
        this.#complain(error.message || (error.cause === 413 ? this.t.tooLarge : this.t.refused));
      }
    }
    this.#attached();
    this.input.focus();
  }

  #attached() {
    const { draft } = this.conversation;
    this.chips.hidden = !draft.files.length;
    this.chips.replaceChildren(...draft.files.map((file) => button({ mark: "chip",
      "aria-label": this.t.remove(file.name), click: () => {
        draft.files = draft.files.filter((other) => other !== file);
        this.#attached();
      } }, el("bdi", {}, file.name), " ×")));
  }

  #complain(text) {
    this.complaint = text;
    this.update();
  }

  // What is asked

  /** Show one of the forms; few open them, so they are fetched when they are needed. */
  async #ask(name, deed, fields) {
    this.#asked = name;
    this.form.hidden = name === "welcome";
    const done = (said) => {
      this.#asked = null;
      this.form.hidden = false;
      this.place.replaceChildren();
      this.#complain(said);
      this.focus();
    };
    try {
      this.place.replaceChildren((await further(this.node))[name](
        { el, button, options: this.options, deed, done, fields }));
    } catch {
      done(this.t.refused); // it could not be fetched: the chat goes on without it
    }
    if (!this.node.hidden) this.focus();
  }

  #survey() {
    this.#ask("survey", (...rating) => this.conversation.rate(...rating));
  }

  async #download() {
    try {
      const { save } = await further(this.node);
      save(el, await this.conversation.transcript());
    } catch (error) {
      this.#complain(error.message || this.t.refused);
    }
  }

  // The screen

  /** Draw what changed, once a frame. */
  update() {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#draw();
    });
  }

  #draw() {
    const { conversation, t } = this;
    const { handoff, lines, isHandedOff } = conversation;
    const live = lines.some((line) => line.live);
    this.log.setAttribute("aria-busy", conversation.typing); // read out whole, not word by word
    const first = { key: "welcome", role: "bot", text: t.welcome };
    this.typing.hidden = !conversation.typing || live || conversation.trouble;
    const human = handoff?.state === "human";
    const name = handoff?.agent ?? t.agent;
    this.speaker.textContent = human ? `${name} · ${t.person}` : t.bot;
    const over = conversation.isOver && lines.length;
    this.queue.hidden = !isHandedOff && !over;
    this.queue.textContent = over ? t.over
      : !isHandedOff ? ""
      : !human ? t.queued(handoff.position)
      : handoff.typing ? t.types(name) : t.withHuman(name);
    const trouble = conversation.trouble ? t.trouble : this.complaint;
    this.status.hidden = !trouble;
    this.status.textContent = trouble || "";
    this.rows.show(conversation.more ? lines : [first, ...lines]);
    if (over && !recall().rated && !this.#asked && !this.declined) {
      this.declined = true; // asked once
      this.#survey();
    }
  }
}
