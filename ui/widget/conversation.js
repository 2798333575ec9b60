/** The conversation itself, whatever shows it: its lines, what is on its way, who has it. */

import { outbox, recall, remember, watch } from "./memory.js";
import { FRESH, ask, leave, renew, shown } from "./session.js";
import { Refused, api, hex128, insist, posted } from "./wire.js";
import { listen } from "./live.js";

const PAGE = 60; // messages read at once
const TRIES_AFTER_ERROR = 3; // the server said it failed: it may fail again for the same reason
const PAUSE = 500; // milliseconds between two live streams
const LINGER = 5000; // milliseconds it is still followed for after the last look: a state may be on its way

const last = (items) => items[items.length - 1];

/** It tells of: change; message {role, text}; handoff {state, …}; error {message}. */
export class Conversation {
  lines = []; // {key, role, text, id?, position?, author?, reply?, files?, state?, live?}
  handoff = null;
  more = false; // whether the server has older lines
  typing = false;
  trouble = false;
  draft = { text: "", files: [] };
  language = "en";

  #position = 0;
  #known = false; // whether the server has this conversation
  #open = false;
  #lingers = false;
  #delivering = false;
  #following = null;
  #loading = false;
  #end = new AbortController(); // of all
  #streams = new AbortController(); // of this conversation
  #shown = recall().conversation;

  /** `tell(what, detail)` is called with what happens. */
  constructor(tell) {
    this.tell = tell;
    document.addEventListener("visibilitychange", () => this.look(this.#open), this.#end);
    watch(() => {
      if ((recall().conversation ?? null) !== (this.#shown ?? null)) this.#anew();
    }, this.#end.signal);
  }

  /** Stop everything: the element left the page. */
  stop() {
    this.#end.abort();
    this.#streams.abort();
  }

  get unread() {
    return this.lines.filter(({ fresh }) => fresh).length;
  }

  get isHandedOff() {
    return ["queued", "human"].includes(this.handoff?.state);
  }

  get isOver() {
    return this.handoff?.state === "closed";
  }

  /** The address of something of this conversation. */
  #here(...parts) {
    return api("conversations", recall().conversation, ...parts);
  }

  /** Say whether somebody looks at it: then it is followed live, and nothing is unread. */
  look(open) {
    this.#open = open;
    if (this.#isSeen) this.#read();
    if (this.#isWanted) this.#follow();
    else if (this.#following) this.#linger();
  }

  #linger() {
    this.#lingers = true;
    setTimeout(() => {
      this.#lingers = false;
      if (!this.#isWanted) this.#following?.abort();
    }, LINGER);
  }

  get #isSeen() {
    return this.#open && document.visibilityState === "visible";
  }

  get #isWanted() {
    return !this.#end.signal.aborted && this.#known
      && (this.#isSeen || this.isHandedOff || this.#lingers);
  }

  #read() {
    for (const line of this.lines) line.fresh = false;
    if (this.#position > (recall().read ?? 0)) remember({ read: this.#position });
    this.tell("change");
  }

  // Sending

  /** Send a message; it is kept until its reply has arrived, reloads and outages included. */
  say(text, shownAs = text, files = []) {
    const message = { id: hex128(), text: text.trim(), shown: shownAs.trim(), files };
    if (!message.text && !files.length) return;
    this.#begun();
    outbox.add(message);
    this.#show(message);
    this.#deliver();
  }

  #begun() {
    if (!recall().conversation) remember({ conversation: hex128() });
    this.#shown = recall().conversation;
    return this.#shown;
  }

  #show({ id, shown: text, files }) {
    if (this.#find(id)) return;
    this.lines.push({ key: id, client: id, role: "customer", text, files, state: "waiting" });
    this.tell("change");
  }

  async #deliver() {
    if (this.#delivering) return; // the running loop takes this message too
    this.#delivering = true;
    for (let all; !this.#end.signal.aborted && (all = outbox.all()).length; ) {
      await this.#send(all[0]);
    }
    this.#delivering = false;
  }

  async #send(message) {
    const reply = { last: "", line: null, failures: 0 };
    this.#set({ typing: true });
    await insist(async () => {
      try {
        this.#settle(await this.#post(message, reply), reply);
        this.#set({ trouble: false });
      } catch (error) {
        if (this.#end.signal.aborted || !outbox.has(message.id)) return true; // left, or taken back
        if (this.#mayPass(error, reply)) return false;
        this.#drop(reply.line);
        this.#refuse(message, error);
      }
      outbox.drop(message.id);
      return true;
    });
    this.#set({ typing: false });
  }

  /** Tell whether a message is worth another try, and get ready for it. */
  #mayPass(error, reply) {
    if (error.cause === "event") {
      reply.last = "";
      reply.failures += 1;
    }
    if (error.cause === 403) remember({ conversation: hex128(), introduced: false }); // not ours
    const again = error.cause === 403 ? (reply.failures += 1) < 2
      : !(error instanceof Refused) && reply.failures < TRIES_AFTER_ERROR;
    if (again) this.#set({ trouble: true });
    return again;
  }

  #refuse({ id }, error) {
    const line = this.#find(id);
    if (line) line.state = "failed";
    this.lines.push({ key: hex128(), role: "notice", text: error.message });
    this.tell("change");
    this.tell("error", { message: error.message });
  }

  /** Post a message and return its turn; a stream that ends before it is an error. */
  async #post(message, reply) {
    await shown();
    const body = { text: message.text, conversation_id: this.#begun(),
      client_message_id: message.id, attachments: (message.files ?? []).map(({ id }) => id),
      metadata: { channel: "widget", language: this.language } };
    await this.#introduce();
    const sent = posted(body, reply.last && { "Last-Event-ID": reply.last });
    const { signal } = this.#streams;
    for await (const { id, event, data } of listen(api("messages"), { ...sent, signal })) {
      reply.last = id || reply.last;
      if (event === "received") this.#received(message, data, reply);
      if (event === "token") this.#write(data.text, reply);
      if (event === "turn") return data;
      if (event === "error") throw new Error(data.error?.message ?? "", { cause: "event" });
    }
    throw new Error("the stream was cut");
  }

  /** The server has the message: what comes next is its reply, from the first word on. */
  #received(message, data, reply) {
    const line = this.#find(message.id);
    if (line) Object.assign(line, { id: data.message_id, state: "" });
    reply.asked = data.message_id;
    if (reply.line?.live) reply.line.text = "";
    this.#known = true;
    this.#set({ trouble: false });
    this.#follow();
  }

  #write(text, reply) {
    reply.line ??= this.lines.find(({ answers }) => answers === reply.asked) ?? null;
    if (!reply.line) {
      reply.line = { key: hex128(), role: "bot", text: "", live: true, answers: reply.asked };
      this.lines.push(reply.line);
    }
    if (!reply.line.live) return; // it came whole, another way
    reply.line.text += text;
    this.tell("change");
  }

  #settle(turn, reply) {
    const id = turn.reply_id;
    const known = this.#find(id);
    if (known && reply.line && known !== reply.line) this.#drop(reply.line);
    const line = known ?? reply.line;
    if (!turn.reply.text) this.#drop(reply.line); // a colleague took over while it was written
    else if (line) Object.assign(line, { id, text: turn.reply.text, reply: turn.reply, live: false });
    else {
      this.lines.push({ key: id, id, role: "bot", text: turn.reply.text, reply: turn.reply,
        answers: turn.message_id });
    }
    if (turn.reply.text && !known) this.#arrived(this.#find(id));
    // What the turn does not speak of is as it was with the bot.
    if (turn.handoff) this.#stands({ ...this.handoff, ...turn.handoff });
    else if (!this.isHandedOff) this.#stands({ state: "bot" });
    this.tell("change");
  }

  #drop(line) {
    if (line) this.lines = this.lines.filter((other) => other !== line);
  }

  #set(change) {
    Object.assign(this, change);
    this.tell("change");
  }

  // What the server has

  /** Show the conversation as the server has it, then send what was not answered. */
  async restore() {
    if (recall().conversation) await insist(() => this.#tried(() => this.#load()));
    outbox.all().forEach((message) => this.#show(message));
    this.look(this.#open);
    this.#deliver();
  }

  /** Read the page of lines before the first one. */
  async older() {
    if (!this.more || this.#loading) return;
    this.#loading = true;
    await this.#tried(() => this.#load(this.lines[0].position));
    this.#loading = false;
  }

  /** Do something; return whether that is over, well or for good. */
  async #tried(step) {
    try {
      await step();
      this.#set({ trouble: false });
    } catch (error) {
      if (!(error instanceof Refused)) {
        this.#set({ trouble: true });
        return this.#end.signal.aborted;
      }
      if (!outbox.all().length) remember(FRESH);
    }
    return true;
  }

  async #load(before) {
    const query = new URLSearchParams({ limit: PAGE, ...(before && { before }) });
    const page = await (await ask(`${this.#here("messages")}?${query}`)).json();
    const read = recall().read ?? 0;
    this.#known = true;
    this.more = page.more;
    const lines = page.messages.filter(({ message_id: id }) => !this.#find(id)).map(lineOf);
    for (const line of lines) line.fresh = line.role !== "customer" && line.position > read;
    this.lines = [...lines, ...this.lines.filter(({ key }) => !lines.some((l) => l.client === key))];
    this.#position = Math.max(this.#position, last(page.messages)?.position ?? 0);
    if (!before) {
      if (page.csat) remember({ rated: true });
      this.#stands(page.handoff);
    }
  }

  async #follow() {
    if (this.#following) return;
    while (this.#isWanted) {
      await insist(async () => {
        if (!this.#isWanted) return true;
        this.#following = new AbortController();
        const signal = AbortSignal.any([this.#following.signal, this.#streams.signal]);
        try {
          const live = `${this.#here("messages")}?after=${this.#position}`;
          for await (const { event, data } of listen(live, { signal })) {
            if (event === "message") this.#arrive(data);
            if (event === "status") this.#stands(data);
          }
        } catch (error) {
          if (error instanceof Refused) this.#known = false;
          return !this.#isWanted;
        }
        return true;
      });
      if (this.#isWanted) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    this.#following = null;
  }

  /** Take a line of the log, once: it may be one that is here already. */
  #arrive(data) {
    this.#position = Math.max(this.#position, data.position);
    const fresh = lineOf(data);
    const known = this.#find(data.message_id) ?? this.#find(data.client_message_id)
      ?? this.lines.find(({ live, answers }) => live && answers === data.in_reply_to);
    if (known) {
      const { key, text, live } = known;
      Object.assign(known, fresh, { key, live: false, state: "" });
      if (live) this.#arrived(known); // before the stream that wrote it ended
      if (known.role === "customer" && text) known.text = text; // a button's title, not its payload
    } else {
      this.lines.push(fresh);
      this.#arrived(fresh);
    }
    this.#sort();
    if (this.#isSeen) this.#read();
    this.tell("change");
  }

  #arrived(line) {
    line.fresh = line.role !== "customer" && !this.#isSeen;
    this.tell("message", { role: line.role, text: line.text });
  }

  /** Lines stand as they stand in the log; what has no place there yet comes last. */
  #sort() {
    const place = ({ position = Infinity }) => position;
    this.lines.sort((one, other) => place(one) - place(other) || 0);
  }

  #find(id) {
    return id ? this.lines.find((line) => line.id === id || line.client === id) : undefined;
  }

  #stands(handoff) {
    const before = this.handoff?.state ?? "bot";
    this.handoff = handoff;
    if (handoff && handoff.state !== before) this.tell("handoff", handoff);
    if (this.#isWanted) this.#follow();
    this.tell("change");
  }

  // What visitors may do with it

  /** Keep how the visitor wants to be called and reached; it goes with the next message. */
  meet(who) {
    remember({ who, introduced: false });
  }

  async #introduce() {
    const { who, introduced } = recall();
    if (!who || introduced) return;
    await ask(this.#here("contact"), posted(who))
      .catch((error) => {
        if (!(error instanceof Refused)) throw error; // what is refused is not asked for again
      });
    remember({ introduced: true });
  }

  /** Make the visitor a customer, by an id that the page's own server signed; null signs out. */
  async identify(identity) {
    const { visitor } = recall();
    if (!identity) leave();
    else {
      const { id, hmac, name, email } = identity;
      await renew({ id, hmac });
      if (name || email) this.meet({ name, email });
    }
    if (visitor && recall().visitor !== visitor) this.#anew();
  }

  /** Send a file ahead and return {id, name, …} for the message it goes with. */
  async attach(file) {
    await shown();
    if (file.size > (recall().largest ?? Infinity)) throw new Refused("", { cause: 413 });
    this.#begun();
    const url = `${this.#here("attachments")}?${new URLSearchParams({ name: file.name })}`;
    const headers = { "Content-Type": "application/octet-stream" };
    return (await ask(url, { method: "POST", body: file, headers })).json();
  }

  /** Note what the customer did with a reply: `feedback` or `opened`. */
  async note(id, what, body) {
    await ask(api("messages", id, what), posted(body));
  }

  /** Rate the whole conversation, from 1 to 5. */
  async rate(score, comment) {
    await ask(this.#here("csat"), posted({ score, comment }));
    remember({ rated: true });
  }

  /** Return the conversation as text. */
  async transcript() {
    return (await ask(`${this.#here("transcript")}?language=${this.language}`)).blob();
  }

  /** Have the server delete it all, then begin anew. */
  async forget() {
    if (this.#known) await ask(this.#here(), { method: "DELETE" });
    leave();
    remember({ who: null });
    this.restart();
  }

  /** Leave this conversation; the next message begins another one. */
  restart() {
    outbox.all().forEach(({ id }) => outbox.drop(id));
    remember(FRESH);
    this.#anew();
  }

  #anew() {
    this.#streams.abort();
    this.#streams = new AbortController();
    Object.assign(this, { lines: [], handoff: null, more: false });
    this.#position = 0;
    this.#known = false;
    this.#shown = recall().conversation;
    this.tell("change");
    if (this.#shown) this.restore();
  }
}

/** A line of the log as it is shown. */
const lineOf = (data) => ({ ...data, key: data.id, client: data.client_message_id,
  answers: data.in_reply_to, files: data.attachments });
