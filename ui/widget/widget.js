/**
 * Careline's chat widget: <script type="module" src="/widget.js" data-title="…" data-language="zh">
 *
 * One custom element in a shadow root. It talks to the server it was loaded from and to no other
 * host, and what others wrote reaches the page as text nodes only.
 */

import { el, icon, sheet } from "./widget/look.js";
import { recall, remember } from "./widget/memory.js";
import {
  BASE, Refused, api, hex128, insist, listen, newId, posted, problem,
} from "./widget/wire.js";
import { STRINGS } from "./widget/words.js";

const TRIES_AFTER_ERROR = 3; // the server said it failed: it may fail again for the same reason

class CarelineChat extends HTMLElement {
  #seen = new Set(); // ids of messages that are on the screen
  #titles = new Map(); // what a button's payload looked like
  #position = 0;
  #delivering = false;
  #following = false;
  #agent = null;
  #handedOff = false;
  #requests = new Set();

  connectedCallback() {
    if (this.shadowRoot) { // it was only moved
      this.#deliver();
      return;
    }
    const script = [...document.scripts].find(({ src }) => src === import.meta.url);
    const options = { ...script?.dataset, ...this.dataset };
    const language = options.language || document.documentElement.lang || recall().language || "";
    this.language = language.toLowerCase().startsWith("zh") ? "zh" : "en";
    this.strings = STRINGS[this.language];
    remember({ language: this.language });
    this.#build(options.title || this.strings.title);
    this.#restore();
  }

  disconnectedCallback() {
    for (const request of this.#requests) request.abort();
  }

  /** Open the panel and move the focus into it. */
  open() {
    this.panel.hidden = false;
    this.launcher.setAttribute("aria-expanded", "true");
    this.launcher.classList.remove("unread");
    this.#scroll();
    this.input.focus();
  }

  /** Close the panel; the focus goes back to where it came from. */
  close() {
    this.panel.hidden = true;
    this.launcher.setAttribute("aria-expanded", "false");
    this.launcher.focus();
  }

  /** Open the panel and send a question, for buttons on the page. */
  ask(text) {
    this.open();
    this.say(text);
  }

  /** Send a message; it is kept until its reply has arrived, reloads and outages included. */
  say(text, shown = text) {
    if (!text.trim()) return;
    const message = { id: newId(), text: text.trim(), shown: shown.trim() };
    const { conversation, outbox = [] } = recall();
    remember({ conversation: conversation || hex128(), outbox: [...outbox, message] });
    this.#seen.add(message.id);
    this.#line("customer", message.shown);
    this.#deliver();
  }

  #build(title) {
    const t = this.strings;
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet()];
    this.launcher = el("button", { class: "launcher", name: "launcher", type: "button",
      "aria-label": t.open, "aria-expanded": "false", "aria-controls": "panel",
      click: () => (this.panel.hidden ? this.open() : this.close()) }, icon("chat"));
    this.past = el("div");
    this.present = el("div");
    this.typing = el("div", { class: "typing", name: "typing", hidden: "" },
      el("span", { class: "who" }, t.typing), el("i"), el("i"), el("i"));
    this.log = el("div", { class: "log", name: "log", role: "log", "aria-live": "polite",
      "aria-label": title, tabindex: "0" }, this.past, this.present, this.typing);
    this.past.append(this.#make("bot", t.welcome, "welcome").node);
    this.queue = el("p", { class: "bar", name: "handoff", role: "status", hidden: "" });
    this.trouble = el("p", { class: "bar trouble", name: "status", role: "status", hidden: "" });
    this.panel = el("section", { class: "panel", name: "panel", id: "panel", role: "dialog",
      "aria-labelledby": "title", hidden: "", lang: this.language === "zh" ? "zh-CN" : "en",
      keydown: (event) => event.key === "Escape" && !event.isComposing && this.close() },
      this.#header(title), this.log, this.queue, this.trouble, this.#form(),
      el("button", { class: "human", name: "human", type: "button",
        click: () => this.say(t.askHuman) }, t.human));
    root.append(this.launcher, this.panel);
  }

  #header(title) {
    const t = this.strings;
    return el("header", {},
      el("div", {}, el("h2", { id: "title" }, title), el("p", {}, t.assistant)),
      el("button", { type: "button", name: "close", "aria-label": t.close,
        click: () => this.close() }, icon("close")));
  }

  #form() {
    const t = this.strings;
    this.input = el("textarea", { name: "input", rows: "1", "aria-label": t.label,
      placeholder: t.placeholder, keydown: (event) => this.#typed(event) });
    const submit = (event) => {
      event.preventDefault();
      this.say(this.input.value);
      this.input.value = "";
      this.input.focus();
    };
    this.form = el("form", { submit }, this.input,
      el("button", { class: "send", name: "send", type: "submit", "aria-label": t.send },
        icon("send")));
    return this.form;
  }

  /** Enter sends, but not the Enter that picks a word in a Chinese input method. */
  #typed(event) {
    const composing = event.isComposing || event.keyCode === 229; // what Safari says instead
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  #make(role, text, name = `message-${role}`) {
    const words = el("p", { class: "text" }, text);
    const who = this.strings[role];
    const node = el("div", { class: `line ${role}`, name },
      ...(who ? [el("span", { class: "who" }, `${who}: `)] : []), words);
    return { node, words };
  }

  #line(role, text) {
    const line = this.#make(role, text);
    this.present.append(line.node);
    this.#scroll();
    return line;
  }

  #scroll() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  #trouble(text) {
    this.trouble.hidden = !text;
    this.trouble.textContent = text;
  }

  async #deliver() {
    if (this.#delivering) return; // the running loop takes this message too
    this.#delivering = true;
    while (this.isConnected && recall().outbox?.length) await this.#send(recall().outbox[0]);
    this.#delivering = false;
  }

  async #send(message) {
    let answer = null;
    let failures = 0;
    const write = (text) => {
      this.typing.hidden = true;
      answer ??= this.#line("bot", "");
      answer.words.append(text);
      this.#scroll();
    };
    await insist(async () => {
      this.typing.hidden = false;
      this.log.setAttribute("aria-busy", "true"); // read out whole, not word by word
      try {
        this.#show(await this.#post(message, write), answer);
      } catch (error) {
        answer?.node.remove();
        answer = null;
        failures += error.cause === "event" ? 1 : 0;
        const forgotten = error.cause === 404 && recall().conversation; // then start anew
        if (forgotten) remember({ conversation: null });
        if (forgotten || (!(error instanceof Refused) && failures < TRIES_AFTER_ERROR)) {
          this.#trouble(this.strings.reconnecting);
          return !this.isConnected;
        }
        this.#line("notice", error.message || this.strings.refused);
      } finally {
        this.typing.hidden = true;
        this.log.setAttribute("aria-busy", "false");
      }
      this.#trouble("");
      remember({ outbox: recall().outbox.filter(({ id }) => id !== message.id) });
      return true;
    });
  }

  /** Post a message and return its turn; a stream that ends before it is an error. */
  async #post(message, write) {
    const { conversation } = recall();
    const body = { text: message.text, client_message_id: message.id,
      metadata: { channel: "widget", language: this.language } };
    if (conversation) body.conversation_id = conversation;
    for await (const { event, data } of this.#listen(api("messages"), posted(body))) {
      if (event === "received") {
        this.#trouble("");
        remember({ conversation: data.conversation_id });
        this.#seen.add(data.message_id);
      }
      if (event === "token") write(data.text);
      if (event === "turn") return data;
      if (event === "error") throw new Error(data.error?.message ?? "", { cause: "event" });
    }
    throw new Error("the stream was cut");
  }

  async *#listen(url, options) {
    const request = new AbortController();
    this.#requests.add(request);
    try {
      yield* listen(url, options, request);
    } finally {
      this.#requests.delete(request);
    }
  }

  #show(turn, answer) {
    const id = turn.reply_id ?? turn.message_id;
    if (this.#seen.has(id)) { // another page, or the one before a reload, has shown it
      answer?.node.remove();
    } else if (turn.reply.text) {
      const line = answer ?? this.#line("bot", "");
      line.words.textContent = turn.reply.text;
      line.node.append(...this.#extras(turn.reply, id));
    } else {
      answer?.node.remove(); // a colleague took over while it was written: it does not count
    }
    this.#seen.add(id);
    this.#handoff(turn.handoff);
    this.#scroll();
  }

  #extras(reply, id) {
    const t = this.strings;
    const parts = reply.citations.map((citation) => this.#citation(citation, id));
    if (reply.buttons.length) parts.push(this.#choices(reply.buttons));
    if (reply.related?.length) {
      parts.push(this.#related(reply.related));
    }
    parts.push(this.#rating(id));
    return parts;
  }

  #citation({ article, title, quote, url }, id) {
    const t = this.strings;
    let link = api("articles", article);
    if (/^(https?:)?\//.test(url ?? "")) link = new URL(url, BASE).href; // no javascript: links
    // What customers open teaches the search; nothing is lost when this does not arrive.
    const opened = (event) => event.target.open
      && fetch(api("messages", id, "opened"), posted({ article })).catch(() => null);
    return el("details", { class: "citation", name: "citation", toggle: opened },
      el("summary", {}, t.source(title || article)), el("blockquote", {}, quote),
      el("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, t.article));
  }

  /** Titles of articles and of questions that often come next: pressing one asks it. */
  #related(titles) {
    const ask = (title) => el("button", { type: "button", name: "related",
      click: () => { this.say(title); this.input.focus(); } }, title);
    return el("div", { class: "choices related", role: "group" },
      el("span", { class: "small" }, this.strings.related), ...titles.map(ask));
  }

  #choices(buttons) {
    const group = el("div", { class: "choices", role: "group" });
    for (const { title, payload } of buttons) {
      this.#titles.set(payload, title);
      const choose = () => {
        group.remove();
        this.say(payload, title);
        this.input.focus();
      };
      group.append(el("button", { type: "button", name: "choice", click: choose }, title));
    }
    return group;
  }

  #rating(id) {
    const t = this.strings;
    const group = el("div", { class: "rating", role: "group" });
    const rate = async (rating) => {
      const response = await fetch(api("messages", id, "feedback"), posted({ rating }))
        .catch(() => null);
      thanks.textContent = response?.ok ? t.thanks : t.refused;
      if (!response?.ok) return;
      for (const [name, button] of Object.entries(thumbs)) {
        button.setAttribute("aria-pressed", String(name === rating));
      }
    };
    const thumb = (name) => el("button", { type: "button", name: `thumb-${name}`,
      "aria-label": t[name], "aria-pressed": "false", click: () => rate(name) }, icon(name));
    const thumbs = { up: thumb("up"), down: thumb("down") };
    const thanks = el("span", { class: "small", name: "thanks" });
    group.append(thumbs.up, thumbs.down, thanks);
    return group;
  }

  /** Say where the hand-off stands, and listen for the colleague while there is one. */
  #handoff(handoff) {
    const t = this.strings;
    this.#handedOff = ["queued", "human"].includes(handoff?.state);
    this.#agent = handoff?.agent ?? this.#agent;
    this.queue.hidden = !this.#handedOff;
    this.queue.textContent = !this.#handedOff ? ""
      : handoff.state !== "human" ? t.queued(handoff.position)
      : handoff.typing ? t.types(this.#agent) : t.withHuman(this.#agent);
    if (this.#handedOff) this.#follow();
  }

  /** Show the conversation as the server has it, then send what was not answered. */
  async #restore() {
    const { conversation, outbox = [] } = recall();
    if (conversation) await insist(() => this.#load(conversation));
    for (const { id, shown } of outbox) {
      if (!this.#seen.has(id)) this.#line("customer", shown);
      this.#seen.add(id);
    }
    this.#deliver();
  }

  async #load(conversation) {
    try {
      const response = await fetch(api("conversations", conversation, "messages"));
      if (!response.ok) throw await problem(response);
      const { messages, handoff } = await response.json();
      for (const line of messages) this.#arrive(line, this.past);
      const choices = [...this.past.querySelectorAll(".choices:not(.related)")];
      for (const chosen of choices.slice(0, -1)) chosen.remove();
      this.#handoff(handoff);
      this.#trouble("");
      this.#scroll();
    } catch (error) {
      if (!(error instanceof Refused)) {
        this.#trouble(this.strings.reconnecting);
        return !this.isConnected;
      }
      if (!recall().outbox?.length) remember({ conversation: null });
    }
    return true;
  }

  /** Show a line of the log, once. */
  #arrive(line, place = this.present) {
    this.#position = Math.max(this.#position, line.position ?? 0);
    if (this.#seen.has(line.message_id) || this.#seen.has(line.client_message_id)) return;
    // The reply to what is being sent now comes as a turn, in its own stream.
    if (line.role === "bot" && place === this.present && this.#delivering) return;
    if (!line.text || !this.strings[line.role]) return;
    this.#seen.add(line.message_id).add(line.client_message_id ?? line.message_id);
    const { node } = this.#make(line.role, this.#titles.get(line.text) ?? line.text);
    if (line.reply) node.append(...this.#extras(line.reply, line.message_id));
    place.append(node);
    if (place !== this.present) return;
    this.launcher.classList.toggle("unread", this.panel.hidden);
    this.#scroll();
  }

  async #follow() {
    if (this.#following) return;
    this.#following = true;
    await insist(async () => {
      const { conversation } = recall();
      const url = `${api("conversations", conversation, "messages")}?after=${this.#position}`;
      try {
        for await (const { event, data } of this.#listen(url, {})) {
          if (event === "message") this.#arrive(data);
          if (event === "status") this.#handoff(data);
          if (!this.#handedOff) break;
        }
      } catch (error) {
        if (error instanceof Refused) return true;
      }
      return !this.isConnected || !this.#handedOff;
    });
    this.#following = false;
  }
}

if (!customElements.get("careline-chat")) customElements.define("careline-chat", CarelineChat);
if (!document.querySelector("careline-chat")) document.body.append(new CarelineChat());
