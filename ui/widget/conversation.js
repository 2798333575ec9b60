/** The conversation, apart from the screen: sending, following, its state, the visitor's actions. */

import { outbox, recall, remember, watch } from "./memory.js";
import { NO_CONVERSATION, authFetch, authHeaders, clearSession, renewSession } from "./session.js";
import { RefusedError, api, hex128, jsonPost, retry } from "./wire.js";
import { listen } from "./live.js";
import { Log } from "./log.js";

const PAGE = 60; // messages of one request
const MAX_ERRORS = 3; // that the server reports for one message, before it is given up
const PAUSE = 500; // milliseconds between two live streams
const LINGER = 5000; // milliseconds to follow on after closing: a change of state may be on its way

/** It notifies of: change; message {role, text}; handoff {state, …}; error {message}. */
export class Conversation {
  handoff = null;
  more = false; // whether the server has older lines
  typing = false;
  trouble = false; // whether the connection is lost
  draft = { text: "", files: [] };
  language = "en";

  #log = new Log();
  #exists = false; // whether the server has this conversation
  #isOpen = false;
  #lingers = false;
  #delivering = false;
  #following = null;
  #loading = false;
  #end = new AbortController(); // of all
  #streams = new AbortController(); // of this conversation
  #id = recall().conversation;

  /** `notify(name, detail)` is called with every event. */
  constructor(notify) {
    this.notify = notify;
    document.addEventListener("visibilitychange", () => this.setOpen(this.#isOpen), this.#end);
    watch(() => {
      if ((recall().conversation ?? null) !== (this.#id ?? null)) this.#reset();
    }, this.#end.signal);
  }

  /** Stop everything: the element left the page. */
  stop() {
    this.#end.abort();
    this.#streams.abort();
  }

  get lines() {
    return this.#log.lines;
  }

  get unread() {
    return this.#log.unread;
  }

  get isHandedOff() {
    return ["queued", "human"].includes(this.handoff?.state);
  }

  get isOver() {
    return this.handoff?.state === "closed";
  }

  /** Return the address of a part of this conversation. */
  #url(...parts) {
    return api("conversations", recall().conversation, ...parts);
  }

  /** Set whether the panel is open: then the conversation is followed, and nothing is unread. */
  setOpen(isOpen) {
    this.#isOpen = isOpen;
    if (this.#isVisible) this.#markRead();
    if (this.#shouldFollow) this.#follow();
    else if (this.#following) this.#linger();
  }

  #linger() {
    this.#lingers = true;
    setTimeout(() => {
      this.#lingers = false;
      if (!this.#shouldFollow) this.#following?.abort();
    }, LINGER);
  }

  get #isVisible() {
    return this.#isOpen && document.visibilityState === "visible";
  }

  get #shouldFollow() {
    return !this.#end.signal.aborted && this.#exists
      && (this.#isVisible || this.isHandedOff || this.#lingers);
  }

  #markRead() {
    for (const line of this.lines) line.fresh = false;
    const { position } = this.#log;
    if (position > (recall().read ?? 0)) remember({ read: position });
    this.notify("change");
  }

  #set(change) {
    Object.assign(this, change);
    this.notify("change");
  }

  // Sending

  /** Send a message; it is stored until its reply has arrived, over reloads and outages. */
  send(text, shown = text, files = []) {
    const message = { id: hex128(), text: text.trim(), shown: shown.trim(), files };
    if (!message.text && !files.length) return;
    this.#ensureId();
    outbox.add(message);
    this.#show(message);
    this.#deliver();
  }

  #ensureId() {
    if (!recall().conversation) remember({ conversation: hex128() });
    this.#id = recall().conversation;
    return this.#id;
  }

  #show({ id, shown: text, files }) {
    if (this.#log.find(id)) return;
    this.#log.add({ key: id, client: id, role: "customer", text, files, state: "waiting" });
    this.notify("change");
  }

  async #deliver() {
    if (this.#delivering) return; // the running loop takes this message too
    this.#delivering = true;
    for (let all; !this.#end.signal.aborted && (all = outbox.all()).length; ) {
      await this.#deliverOne(all[0]);
    }
    this.#delivering = false;
  }

  async #deliverOne(message) {
    const reply = { lastEvent: "", line: null, errors: 0 };
    this.#set({ typing: true });
    await retry(async () => {
      try {
        this.#finish(await this.#post(message, reply), reply);
        this.#set({ trouble: false });
      } catch (error) {
        if (this.#end.signal.aborted || !outbox.has(message.id)) return true; // left, or withdrawn
        if (this.#prepareRetry(error, reply)) return false;
        this.#log.remove(reply.line);
        this.#showError(message, error);
      }
      outbox.drop(message.id);
      return true;
    });
    this.#set({ typing: false });
  }

  /** Return whether a message is worth another attempt, and prepare for it. */
  #prepareRetry(error, reply) {
    if (error.cause === "event") {
      reply.lastEvent = "";
      reply.errors += 1;
    }
    // 403: the conversation is another visitor's.
    if (error.cause === 403) remember({ conversation: hex128(), introduced: false });
    const again = error.cause === 403 ? (reply.errors += 1) < 2
      : !(error instanceof RefusedError) && reply.errors < MAX_ERRORS;
    if (again) this.#set({ trouble: true });
    return again;
  }

  #showError({ id }, error) {
    const line = this.#log.find(id);
    if (line) line.state = "failed";
    this.#log.add({ key: hex128(), role: "notice", text: error.message });
    this.notify("change");
    this.notify("error", { message: error.message });
  }

  /** Post a message and return its turn; a stream that ends before the turn is an error. */
  async #post(message, reply) {
    await authHeaders();
    const body = { text: message.text, conversation_id: this.#ensureId(),
      client_message_id: message.id, attachments: (message.files ?? []).map(({ id }) => id),
      metadata: { channel: "widget", language: this.language } };
    await this.#sendContact();
    const request = jsonPost(body, reply.lastEvent && { "Last-Event-ID": reply.lastEvent });
    const { signal } = this.#streams;
    for await (const { id, event, data } of listen(api("messages"), { ...request, signal })) {
      reply.lastEvent = id || reply.lastEvent;
      if (event === "received") this.#begin(message, data, reply);
      if (event === "token") {
        this.#log.write(data.text, reply);
        this.notify("change");
      }
      if (event === "turn") return data;
      if (event === "error") throw new Error(data.error?.message ?? "", { cause: "event" });
    }
    throw new Error("the stream ended before the turn");
  }

  /** Take note that the server has the message: what follows is its reply, from the first word. */
  #begin(message, data, reply) {
    const line = this.#log.find(message.id);
    if (line) Object.assign(line, { id: data.message_id, state: "" });
    reply.request = data.message_id;
    if (reply.line?.live) reply.line.text = "";
    this.#exists = true;
    this.#set({ trouble: false });
    this.#follow();
  }

  #finish(turn, reply) {
    this.#announce(this.#log.finish(turn, reply));
    // A turn without a hand-off leaves the conversation with whoever has it.
    if (turn.handoff) this.#setHandoff({ ...this.handoff, ...turn.handoff });
    else if (!this.isHandedOff) this.#setHandoff({ state: "bot" });
    this.notify("change");
  }

  // The server's log

  /** Show the conversation as the server has it, then send the messages without a reply. */
  async restore() {
    if (recall().conversation) await retry(() => this.#attempt(() => this.#load()));
    outbox.all().forEach((message) => this.#show(message));
    this.setOpen(this.#isOpen);
    this.#deliver();
  }

  /** Load the page of lines before the first one. */
  async loadOlder() {
    if (!this.more || this.#loading) return;
    this.#loading = true;
    await this.#attempt(() => this.#load(this.lines[0].position));
    this.#loading = false;
  }

  /** Call `step` and return whether it is over: done, or refused for good. */
  async #attempt(step) {
    try {
      await step();
      this.#set({ trouble: false });
    } catch (error) {
      if (!(error instanceof RefusedError)) {
        this.#set({ trouble: true });
        return this.#end.signal.aborted;
      }
      if (!outbox.all().length) remember(NO_CONVERSATION);
    }
    return true;
  }

  async #load(before) {
    const query = new URLSearchParams({ limit: PAGE, ...(before && { before }) });
    const page = await (await authFetch(`${this.#url("messages")}?${query}`)).json();
    this.#exists = true;
    this.more = page.more;
    this.#log.prepend(page.messages, recall().read ?? 0);
    if (!before) {
      if (page.csat) remember({ rated: true });
      this.#setHandoff(page.handoff);
    }
  }

  async #follow() {
    if (this.#following) return;
    while (this.#shouldFollow) {
      await retry(async () => {
        if (!this.#shouldFollow) return true;
        this.#following = new AbortController();
        const signal = AbortSignal.any([this.#following.signal, this.#streams.signal]);
        try {
          const url = `${this.#url("messages")}?after=${this.#log.position}`;
          for await (const { event, data } of listen(url, { signal })) {
            if (event === "message") this.#receive(data);
            if (event === "status") this.#setHandoff(data);
          }
        } catch (error) {
          if (error instanceof RefusedError) this.#exists = false;
          return !this.#shouldFollow;
        }
        return true;
      });
      if (this.#shouldFollow) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    this.#following = null;
  }

  #receive(message) {
    this.#announce(this.#log.receive(message));
    if (this.#isVisible) this.#markRead();
    this.notify("change");
  }

  #announce(line) {
    if (!line) return;
    line.fresh = line.role !== "customer" && !this.#isVisible;
    this.notify("message", { role: line.role, text: line.text });
  }

  #setHandoff(handoff) {
    const before = this.handoff?.state ?? "bot";
    this.handoff = handoff;
    if (handoff && handoff.state !== before) this.notify("handoff", handoff);
    if (this.#shouldFollow) this.#follow();
    this.notify("change");
  }

  // The visitor's actions

  /** Remember the visitor's name and address; they are sent with the next message. */
  setContact(who) {
    remember({ who, introduced: false });
  }

  async #sendContact() {
    const { who, introduced } = recall();
    if (!who || introduced) return;
    await authFetch(this.#url("contact"), jsonPost(who)).catch((error) => {
      if (!(error instanceof RefusedError)) throw error; // what is refused is not sent again
    });
    remember({ introduced: true });
  }

  /** Make the visitor a customer, by an id that the page's own server signed; null signs out. */
  async identify(identity) {
    const { visitor } = recall();
    if (!identity) clearSession();
    else {
      const { id, hmac, name, email } = identity;
      await renewSession({ id, hmac });
      if (name || email) this.setContact({ name, email });
    }
    if (visitor && recall().visitor !== visitor) this.#reset();
  }

  /** Upload a file and return {id, name, …} for the message it belongs to. */
  async attach(file) {
    await authHeaders();
    if (file.size > (recall().largest ?? Infinity)) throw new RefusedError("", { cause: 413 });
    this.#ensureId();
    const url = `${this.#url("attachments")}?${new URLSearchParams({ name: file.name })}`;
    const headers = { "Content-Type": "application/octet-stream" };
    return (await authFetch(url, { method: "POST", body: file, headers })).json();
  }

  /** Report what the customer did with a reply: `feedback` or `opened`. */
  async report(id, kind, body) {
    await authFetch(api("messages", id, kind), jsonPost(body));
  }

  /** Rate the whole conversation, from 1 to 5. */
  async rate(score, comment) {
    await authFetch(this.#url("csat"), jsonPost({ score, comment }));
    remember({ rated: true });
  }

  /** Return the conversation as a text file. */
  async transcript() {
    return (await authFetch(`${this.#url("transcript")}?language=${this.language}`)).blob();
  }

  /** Delete the conversation on the server, then begin a new one. */
  async forget() {
    if (this.#exists) await authFetch(this.#url(), { method: "DELETE" });
    clearSession();
    remember({ who: null });
    this.restart();
  }

  /** Leave this conversation; the next message begins another one. */
  restart() {
    outbox.all().forEach(({ id }) => outbox.drop(id));
    remember(NO_CONVERSATION);
    this.#reset();
  }

  #reset() {
    this.#streams.abort();
    this.#streams = new AbortController();
    Object.assign(this, { handoff: null, more: false });
    this.#log = new Log();
    this.#exists = false;
    this.#id = recall().conversation;
    this.notify("change");
    if (this.#id) this.restore();
  }
}
