/**
 * Careline's chat widget: <script type="module" src="/widget.js" data-title="…" data-language="zh">
 *
 * One custom element in a shadow root. It talks to the server it was loaded from and to no other
 * host, and what others wrote reaches the page as text nodes only.
 */

import { button, el, icon } from "./dom.js";
import { configure, dress, options } from "./options.js";
import { recall, remember } from "./memory.js";
import { Conversation } from "./conversation.js";
import { Panel, further, tongue } from "./panel.js";
import { sheet } from "./style.js";

const NAME = "careline-chat";
const SECONDS_TO_TEASER = 8;

const listeners = new EventTarget();
const tell = (name, detail = {}) => listeners.dispatchEvent(new CustomEvent(name, { detail }));

class CarelineChat extends HTMLElement {
  #end;
  #panel;
  #ready;
  #teased = 0;
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
    this.conversation = new Conversation((what, detail) =>
      (what === "change" ? this.#changed() : tell(what, detail)));
    this.#ready = this.render().then(() => {
      this.conversation.restore();
      tell("ready");
      setTimeout(() => this.#make()); // so that a click finds it there
    });
  }

  disconnectedCallback() {
    this.#end.abort();
    clearTimeout(this.#teased);
    this.conversation.stop();
    this.#panel?.node.remove();
    this.options = this.#panel = null;
  }

  get isOpen() {
    return Boolean(this.#panel && !this.#panel.node.hidden);
  }

  /** Build, or build again, what depends on options, language and page. */
  async render() {
    const found = await options(this, this.script);
    dress(this, found);
    if (JSON.stringify(found) === JSON.stringify(this.options)) return;
    this.options = found;
    this.conversation.language = found.language;
    const wasOpen = this.isOpen;
    this.#launch();
    this.#panel?.node.remove();
    this.#panel = null;
    if (wasOpen) this.#show();
    this.#changed();
  }

  #launch() {
    const { t, launcher, proactive, proactiveSeconds = SECONDS_TO_TEASER } = this.options;
    this.corner?.remove();
    this.count = el("span", { class: "count", id: "unread" });
    this.launcher = button({ class: "launcher", id: "launcher", "aria-haspopup": "dialog",
      click: () => (this.isOpen ? this.close() : this.open()) },
    icon("chat"), launcher ?? "", this.count);
    this.corner = el("section", { class: "corner", "aria-label": t.title, lang: tongue(this.options) },
      this.launcher);
    this.shadowRoot.append(this.corner);
    clearTimeout(this.#teased);
    if (proactive && !recall().teased && !recall().conversation) {
      this.#teased = setTimeout(() => this.#tease(proactive), 1000 * proactiveSeconds);
    }
  }

  /** Show a message of the page's beside the launcher, once. */
  async #tease(text) {
    if (this.isOpen) return;
    const { teaser } = await further(this.corner);
    this.teaser = teaser({ el, button, icon, text, options: this.options,
      open: () => this.open(), shut: () => this.#calm() });
    this.corner.prepend(this.teaser);
  }

  #calm() {
    if (this.teaser) remember({ teased: true });
    this.teaser?.remove();
  }

  #changed() {
    if (!this.options) return;
    this.#panel?.update();
    const { t, launcher } = this.options;
    const count = this.isOpen ? 0 : this.conversation.unread;
    if (this.#unread !== count) tell("unread", { count });
    this.#unread = count;
    this.count.hidden = !count;
    this.count.textContent = count || "";
    this.launcher.setAttribute("aria-expanded", this.isOpen);
    this.launcher.setAttribute("aria-label",
      (launcher ?? (this.isOpen ? t.close : t.open)) + (count ? `, ${t.unread(count)}` : ""));
  }

  /** Open the panel and move the focus into it. */
  async open() {
    if (!this.options) await this.#ready; // else at once: a click is answered in its own frame
    this.#show();
    tell("open");
  }

  #make() {
    if (this.#panel || !this.options) return;
    this.#panel = new Panel(this.conversation, this.options, () => this.close());
    this.#panel.node.hidden = true;
    this.shadowRoot.append(this.#panel.node);
  }

  #show() {
    this.#make();
    this.#panel.node.hidden = false;
    this.#calm();
    this.conversation.look(true);
    this.#panel.focus();
    this.#changed();
  }

  /** Close the panel; the focus goes back to where it came from. */
  close() {
    if (!this.isOpen) return;
    this.#panel.node.hidden = true;
    this.conversation.look(false);
    this.launcher.focus();
    this.#changed();
    tell("close");
  }

  /** Send a message in the customer's name, for buttons on the page. */
  async ask(text) {
    await this.open();
    this.#panel.say(text);
  }

  /** Make the visitor a customer; null signs out. */
  async identify(identity) {
    await this.#ready;
    await this.conversation.identify(identity);
  }
}

/** On a phone the chat is as high as what the keyboard leaves of the screen. */
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

/** What pages may do with the chat. */
window.Careline = {
  open: () => chat()?.open(),
  close: () => chat()?.close(),
  send: (text) => chat()?.ask(text),
  identify: (identity) => chat()?.identify(identity),
  configure(wanted) {
    configure(wanted);
    chat()?.render();
  },
  /** Listen for ready, open, close, message, unread, handoff, error; returns what ends it. */
  on(name, listener) {
    const heard = ({ detail }) => listener(detail);
    listeners.addEventListener(name, heard);
    return () => listeners.removeEventListener(name, heard);
  },
};
dispatchEvent(new Event("careline"));
