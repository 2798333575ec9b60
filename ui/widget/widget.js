/**
 * Careline's chat widget: <script type="module" src="/widget.js" data-title="…" data-language="zh">
 *
 * One custom element in a shadow root. It sends requests only to the server it was loaded from, and
 * text from others reaches the page as text nodes only.
 */

import { button, el, icon } from "./dom.js";
import { applyLooks, configure, loadOptions } from "./options.js";
import { recall, remember } from "./memory.js";
import { Conversation } from "./conversation.js";
import { Panel, htmlLanguage, loadForms } from "./panel.js";
import { sheet } from "./style.js";

const NAME = "careline-chat";
const TEASER_SECONDS = 8;

const listeners = new EventTarget();
const emit = (name, detail = {}) => listeners.dispatchEvent(new CustomEvent(name, { detail }));

class CarelineChat extends HTMLElement {
  #end;
  #panel;
  #ready;
  #teaserTimer = 0;
  #unread = 0;

  connectedCallback() {
    this.script ??= [...document.scripts].find(({ src }) => src === import.meta.url);
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet()];
    this.#end = new AbortController();
    const page = new MutationObserver(() => this.render());
    page.observe(document.documentElement, { attributes: true });
    this.#end.signal.addEventListener("abort", () => page.disconnect());
    fit(this, this.#end.signal);
    this.conversation = new Conversation((name, detail) =>
      (name === "change" ? this.#update() : emit(name, detail)));
    this.#ready = this.render().then(() => {
      this.conversation.restore();
      emit("ready");
      setTimeout(() => this.#makePanel()); // so that a click opens it at once
    });
  }

  disconnectedCallback() {
    this.#end.abort();
    clearTimeout(this.#teaserTimer);
    this.conversation.stop();
    this.#panel?.node.remove();
    this.options = this.#panel = null;
  }

  get isOpen() {
    return Boolean(this.#panel && !this.#panel.node.hidden);
  }

  /** Build the parts that depend on options, language and page, again if these changed. */
  async render() {
    const options = await loadOptions(this, this.script);
    applyLooks(this, options);
    if (JSON.stringify(options) === JSON.stringify(this.options)) return;
    this.options = options;
    this.conversation.language = options.language;
    const wasOpen = this.isOpen;
    this.#launch();
    this.#panel?.node.remove();
    this.#panel = null;
    if (wasOpen) this.#show();
    this.#update();
  }

  #launch() {
    const { t, launcher, proactive, proactiveSeconds = TEASER_SECONDS } = this.options;
    this.corner?.remove();
    this.count = el("span", { class: "count", id: "unread" });
    this.launcher = button({ class: "launcher", id: "launcher", "aria-haspopup": "dialog",
      click: () => (this.isOpen ? this.close() : this.open()) },
    icon("chat"), launcher ?? "", this.count);
    this.corner = el("section", { class: "corner", "aria-label": t.title, lang: htmlLanguage(this.options) },
      this.launcher);
    this.shadowRoot.append(this.corner);
    clearTimeout(this.#teaserTimer);
    if (proactive && !recall().teased && !recall().conversation) {
      this.#teaserTimer = setTimeout(() => this.#showTeaser(proactive), 1000 * proactiveSeconds);
    }
  }

  /** Show the page's message beside the launcher, once. */
  async #showTeaser(text) {
    if (this.isOpen) return;
    const { teaser } = await loadForms(this.corner);
    this.teaser = teaser({ el, button, icon, text, options: this.options,
      open: () => this.open(), dismiss: () => this.#dismissTeaser() });
    this.corner.prepend(this.teaser);
  }

  #dismissTeaser() {
    if (this.teaser) remember({ teased: true });
    this.teaser?.remove();
  }

  #update() {
    if (!this.options) return;
    this.#panel?.update();
    const { t, launcher } = this.options;
    const count = this.isOpen ? 0 : this.conversation.unread;
    if (this.#unread !== count) emit("unread", { count });
    this.#unread = count;
    this.count.hidden = !count;
    this.count.textContent = count || "";
    this.launcher.setAttribute("aria-expanded", this.isOpen);
    this.launcher.setAttribute("aria-label",
      (launcher ?? (this.isOpen ? t.close : t.open)) + (count ? `, ${t.unread(count)}` : ""));
  }

  /** Open the panel and move the focus into it. */
  async open() {
    if (!this.options) await this.#ready; // else in the frame of the click
    this.#show();
    emit("open");
  }

  #makePanel() {
    if (this.#panel || !this.options) return;
    this.#panel = new Panel(this.conversation, this.options, () => this.close());
    this.#panel.node.hidden = true;
    this.shadowRoot.append(this.#panel.node);
  }

  #show() {
    this.#makePanel();
    this.#panel.node.hidden = false;
    this.#dismissTeaser();
    this.conversation.setOpen(true);
    this.#panel.focus();
    this.#update();
  }

  /** Close the panel and return the focus to the launcher. */
  close() {
    if (!this.isOpen) return;
    this.#panel.node.hidden = true;
    this.conversation.setOpen(false);
    this.launcher.focus();
    this.#update();
    emit("close");
  }

  /** Send a message in the customer's name, for buttons on the page. */
  async send(text) {
    await this.open();
    this.#panel.send(text);
  }

  /** Make the visitor a customer; null signs out. */
  async identify(identity) {
    await this.#ready;
    await this.conversation.identify(identity);
  }
}

/** Fit the chat on phones to the height that the keyboard leaves. */
function fit(element, signal) {
  const view = window.visualViewport;
  const measure = () => {
    element.style.setProperty("--high", `${view.height}px`);
    element.style.setProperty("--top", `${view.offsetTop}px`);
  };
  view.addEventListener("resize", measure, { signal });
  view.addEventListener("scroll", measure, { signal });
}

const chat = () => document.querySelector(NAME);
if (!customElements.get(NAME)) customElements.define(NAME, CarelineChat);
if (!chat()) document.body.append(document.createElement(NAME));

/** The interface for pages. */
window.Careline = {
  open: () => chat()?.open(),
  close: () => chat()?.close(),
  send: (text) => chat()?.send(text),
  identify: (identity) => chat()?.identify(identity),
  configure(options) {
    configure(options);
    chat()?.render();
  },
  /** Listen for ready, open, close, message, unread, handoff, error; return a function that stops. */
  on(name, listener) {
    const handle = ({ detail }) => listener(detail);
    listeners.addEventListener(name, handle);
    return () => listeners.removeEventListener(name, handle);
  },
};
dispatchEvent(new Event("careline"));
