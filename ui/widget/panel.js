/** The open chat: header, lines, forms, the message box. */

import { button, el, icon, link } from "./dom.js";
import { makeRow } from "./lines.js";
import { recall } from "./memory.js";
import { Rows } from "./rows.js";
import { sheet } from "./style.js";
import { BASE } from "./wire.js";

const FILE_TYPES = "image/*,.pdf,.txt";
const MAX_FILES = 5;
const FOCUSABLE = "button, a, summary, textarea, input, .log";

/** Return the language as HTML names it. */
export const htmlLanguage = ({ language }) => (language === "zh" ? "zh-CN" : "en");

/** Load the forms and the teaser, which few visitors need, and add their style to the node's root. */
export async function loadForms(node) {
  const forms = await import(new URL("widget/forms.js", BASE).href);
  forms.addStyle(node.getRootNode(), sheet);
  return forms;
}

export class Panel {
  #openForm = null; // welcome, survey or deletion
  #frame = 0;

  /** Show a conversation; `close()` is called when the customer closes the panel. */
  constructor(conversation, options, close) {
    Object.assign(this, { conversation, options, close, t: options.t });
    this.node = this.#build();
    this.rows = new Rows(this.log, this.lines, {
      make: (line) => makeRow(line, this.t, this.#actions()),
      older: () => conversation.loadOlder(),
      moved: () => (this.latest.hidden = this.rows.isAtEnd),
    });
    this.#drawChips();
    if (options.form && !recall().who && !recall().conversation) {
      this.#showForm("welcome", (who) => conversation.setContact(who), options.form);
    }
    this.update();
  }

  /** Move the focus to where the customer goes on. */
  focus() {
    this.rows.toEnd();
    (this.formBox.querySelector("input, button") ?? this.input).focus();
  }

  #actions() {
    return {
      send: (...message) => {
        this.send(...message);
        this.input.focus();
      },
      report: (...details) => this.conversation.report(...details),
      reasons: async (choose) =>
        (await loadForms(this.node)).reasons({ el, button, options: this.options, choose }),
    };
  }

  send(...message) {
    this.rows.toEnd();
    this.conversation.send(...message);
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
    this.formBox = el("div", { class: "forms" });
    return el("section", { class: "panel", id: "panel", role: "dialog", "aria-modal": "true",
      "aria-labelledby": "title", lang: htmlLanguage(options),
      keydown: (event) => this.#onKeydown(event) },
    this.#header(), this.log, this.latest, this.queue, this.status, this.formBox, this.#composer(),
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
        item("anew", () => this.conversation.restart()),
        item("forget", () => this.#showForm("deletion", () => this.conversation.forget()))));
    return el("div", { class: "head" }, el("div", {}, el("h2", { id: "title" }, t.title), this.speaker),
      this.menu, button({ id: "close", "aria-label": t.close, click: this.close }, icon("close")));
  }

  #composer() {
    const { t, conversation } = this;
    this.input = el("textarea", { id: "input", rows: "1", dir: "auto", "aria-label": t.label,
      placeholder: t.placeholder, keydown: (event) => this.#onEnter(event),
      input: () => (conversation.draft.text = this.input.value) });
    this.input.value = conversation.draft.text;
    this.chips = el("div", { class: "chips", hidden: true });
    const file = el("input", { type: "file", class: "away", id: "file", accept: FILE_TYPES, multiple: true,
      "aria-label": t.clip, change: () => this.#attachFiles(file) });
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
      button({ id: "human", click: () => this.send(t.askHuman) }, t.human));
  }

  // Keys

  #onKeydown(event) {
    if (event.key === "Escape" && !event.isComposing) {
      if (this.menu.open) this.menu.open = false;
      else this.close();
    }
    if (event.key === "Tab") this.#trap(event);
  }

  /** Keep the focus inside the chat: Tab goes round. */
  #trap(event) {
    const elements = [...this.node.querySelectorAll(FOCUSABLE)]
      .filter((element) => element.checkVisibility());
    if (event.shiftKey) elements.reverse();
    if (this.node.getRootNode().activeElement !== elements[elements.length - 1]) return;
    event.preventDefault();
    elements[0].focus();
  }

  /** Send on Enter, but not on the Enter that picks a word in a Chinese input method. */
  #onEnter(event) {
    const composing = event.isComposing || event.keyCode === 229; // in Safari
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const { draft } = this.conversation;
    this.send(this.input.value, this.input.value, draft.files);
    Object.assign(draft, { text: "", files: [] });
    this.input.value = "";
    this.#drawChips();
    this.input.focus();
  }

  // Files

  async #attachFiles(input) {
    const files = [...input.files];
    input.value = "";
    const { draft } = this.conversation;
    for (const file of files.slice(0, MAX_FILES - draft.files.length)) {
      try {
        draft.files.push(await this.conversation.attach(file));
        this.#showNotice("");
      } catch (error) {
        this.#showNotice(error.message || (error.cause === 413 ? this.t.tooLarge : this.t.refused));
      }
    }
    this.#drawChips();
    this.input.focus();
  }

  #drawChips() {
    const { draft } = this.conversation;
    this.chips.hidden = !draft.files.length;
    this.chips.replaceChildren(...draft.files.map((file) => button({ mark: "chip",
      "aria-label": this.t.remove(file.name), click: () => {
        draft.files = draft.files.filter((other) => other !== file);
        this.#drawChips();
      } }, el("bdi", {}, file.name), " ×")));
  }

  #showNotice(text) {
    this.notice = text;
    this.update();
  }

  // Forms

  /** Load and show a form, which calls `action` with what was entered. */
  async #showForm(name, action, fields) {
    this.#openForm = name;
    this.form.hidden = name === "welcome";
    const close = (notice) => {
      this.#openForm = null;
      this.form.hidden = false;
      this.formBox.replaceChildren();
      this.#showNotice(notice);
      this.focus();
    };
    try {
      this.formBox.replaceChildren((await loadForms(this.node))[name](
        { el, button, options: this.options, action, close, fields }));
    } catch {
      close(this.t.refused); // it could not be loaded: the chat goes on without it
    }
    if (!this.node.hidden) this.focus();
  }

  #survey() {
    this.#showForm("survey", (...rating) => this.conversation.rate(...rating));
  }

  async #download() {
    try {
      const { save } = await loadForms(this.node);
      save(el, await this.conversation.transcript());
    } catch (error) {
      this.#showNotice(error.message || this.t.refused);
    }
  }

  // The screen

  /** Draw the changes, once a frame. */
  update() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const { conversation, t } = this;
    const { handoff, lines, isHandedOff } = conversation;
    const live = lines.some((line) => line.live);
    this.log.setAttribute("aria-busy", conversation.typing); // a reply is read out when it is complete
    const welcome = { key: "welcome", role: "bot", text: t.welcome };
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
    const trouble = conversation.trouble ? t.trouble : this.notice;
    this.status.hidden = !trouble;
    this.status.textContent = trouble || "";
    this.rows.show(conversation.more ? lines : [welcome, ...lines]);
    if (over && !recall().rated && !this.#openForm && !this.surveyShown) {
      this.surveyShown = true; // once
      this.#survey();
    }
  }
}
