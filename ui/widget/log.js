/** The lines of a conversation that are known here: each once, in the order of the server's log. */

import { hex128 } from "./wire.js";

/** A message of the server's log as a line. */
const lineOf = (message) => ({ ...message, key: message.id, client: message.client_message_id,
  answers: message.in_reply_to, files: message.attachments });

export class Log {
  lines = []; // {key, role, text, id?, position?, author?, reply?, files?, state?, live?}
  position = 0; // of the last line in the server's log

  get unread() {
    return this.lines.filter(({ fresh }) => fresh).length;
  }

  /** Find a line by its id on the server or by its own. */
  find(id) {
    return id ? this.lines.find((line) => line.id === id || line.client === id) : undefined;
  }

  add(line) {
    this.lines.push(line);
    return line;
  }

  remove(line) {
    this.lines = this.lines.filter((other) => other !== line);
  }

  /** Put older messages before the lines; those after the position `read` are unread. */
  prepend(messages, read) {
    const lines = messages.filter(({ message_id: id }) => !this.find(id)).map(lineOf);
    for (const line of lines) line.fresh = line.role !== "customer" && line.position > read;
    const rest = this.lines.filter(({ key }) => !lines.some(({ client }) => client === key));
    this.lines = [...lines, ...rest];
    this.position = Math.max(this.position, messages[messages.length - 1]?.position ?? 0);
  }

  /** Take a message of the server's log; return its line if the visitor has not seen it whole. */
  receive(message) {
    this.position = Math.max(this.position, message.position);
    const line = this.find(message.message_id) ?? this.find(message.client_message_id)
      ?? this.lines.find(({ live, answers }) => live && answers === message.in_reply_to);
    if (!line) {
      const added = this.add(lineOf(message));
      this.#sort();
      return added;
    }
    const { key, role, text, live } = line;
    Object.assign(line, lineOf(message), { key, live: false, state: "" });
    if (role === "customer" && text) line.text = text; // a button's title, not its payload
    this.#sort();
    return live && line;
  }

  /** Add words to a reply that is being written. */
  write(text, reply) {
    reply.line ??= this.lines.find(({ answers }) => answers === reply.request)
      ?? this.add({ key: hex128(), role: "bot", text: "", live: true, answers: reply.request });
    if (reply.line.live) reply.line.text += text; // else the whole reply is here already
  }

  /** Put the finished reply of a turn in place; return its line if it is new. */
  finish(turn, reply) {
    const { reply_id: id, reply: { text } } = turn;
    const known = this.find(id);
    // Without a text a colleague took over while the reply was written.
    if (!text || (known && known !== reply.line)) this.remove(reply.line);
    if (!text) return undefined;
    const line = known ?? reply.line
      ?? this.add({ key: id, role: "bot", answers: turn.message_id });
    Object.assign(line, { id, text, reply: turn.reply, live: false });
    return known ? undefined : line;
  }

  /** Order the lines as in the server's log; those without a position come last. */
  #sort() {
    const place = ({ position = Infinity }) => position;
    this.lines.sort((line, other) => place(line) - place(other) || 0);
  }
}
