/** A line of the conversation on the screen: text, files, sources, choices, thumbs. */

import { button, el, icon, link } from "./dom.js";
import { BASE, api } from "./wire.js";

const IMAGE = /^image\//;
const ALONE = /^📎( 文件)?$/; // what stands for words where only files were sent

/** Make the row of a line: `deeds` are say(text, shown), note(id, what, body), reasons(tell). */
export function row(line, t, deeds) {
  const words = el("p", { class: "text", dir: "auto" });
  const who = el("span");
  const node = el("div", { class: `line ${line.role}`, mark: `message-${line.role}` }, who, words);
  const text = words.appendChild(new Text());
  const has = {};
  const add = (what, make) => {
    if (!has[what]) node.append(...make());
    has[what] = true;
  };

  const update = (fresh, isLast) => {
    const name = { bot: t.bot, agent: `${fresh.author ?? t.agent} · ${t.person}`, customer: t.you };
    who.className = fresh.role === "customer" || fresh.role === "notice" ? "away" : "who";
    who.textContent = name[fresh.role] ?? "";
    const said = fresh.files?.length && ALONE.test(fresh.text) ? "" : fresh.text;
    if (said.startsWith(text.data)) text.appendData(said.slice(text.data.length)); // it grows
    else text.data = said;
    words.hidden = !said;
    node.classList.toggle("waiting", fresh.state === "waiting");
    node.classList.toggle("old", !isLast);
    if (fresh.files?.length) add("files", () => fresh.files.map(attached));
    if (fresh.reply && fresh.id) add("extras", () => extras(fresh, t, deeds));
  };
  return { node, update };
}

/** A file: a picture where it is one and may be shown, else its name; both lead to it. */
function attached({ name, media_type: kind, url }) {
  const label = el("bdi", {}, name);
  const href = new URL(url.slice(1), BASE).href;
  const whole = link(href, label);
  if (IMAGE.test(kind)) {
    const picture = el("img", { alt: name, src: href,
      error: () => picture.replaceWith(label) });
    whole.replaceChildren(picture);
  }
  return el("div", { mark: "file" }, whole);
}

function extras({ id, reply }, t, deeds) {
  const articles = Map.groupBy(reply.citations, ({ article }) => article).values();
  const parts = [...articles].map((quotes) => source(quotes, id, t, deeds));
  if (reply.buttons.length) {
    parts.push(group("choices once", reply.buttons.map(({ title, payload }) =>
      button({ mark: "choice", click: () => deeds.say(payload, title) }, bdi(title)))));
  }
  if (reply.related?.length) {
    parts.push(group("choices", [el("span", { class: "small" }, t.related),
      ...reply.related.map((title) =>
        button({ mark: "related", click: () => deeds.say(title) }, bdi(title)))]));
  }
  parts.push(thumbs(id, t, deeds));
  return parts;
}

const bdi = (text) => el("bdi", {}, text);
const group = (kind, children) => el("div", { class: kind }, ...children);

/** An article with what was quoted from it. */
function source(quotes, id, t, deeds) {
  const [{ article, title, url }] = quotes;
  let href = api("articles", article); // there, where the address is none, or javascript:
  if (/^(https?:)?\//i.test(url) && URL.canParse(url, BASE)) href = new URL(url, BASE).href;
  // What customers open teaches the search; nothing is lost when this does not arrive.
  const opened = ({ target }) => target.open
    && deeds.note(id, "opened", { article }).catch(() => 0);
  return el("details", { class: "citation", mark: "citation", toggle: opened },
    el("summary", {}, t.source, bdi(title || article)),
    ...quotes.map(({ quote }) => el("blockquote", { dir: "auto" }, quote)), link(href, t.article));
}

/** Two thumbs; the one that is down asks why. */
function thumbs(id, t, deeds) {
  const thanks = el("span", { class: "small", mark: "thanks" });
  const why = el("div");
  const rate = async (rating, reason) => {
    const kept = await deeds.note(id, "feedback", { rating, reason })
      .then(() => true, () => false);
    thanks.textContent = kept ? t.thanks : t.refused;
    if (!kept) return;
    for (const name of ["up", "down"]) both[name].setAttribute("aria-pressed", name === rating);
    why.replaceChildren();
    if (rating === "down" && !reason) why.append(await deeds.reasons((chosen) => rate(rating, chosen)));
  };
  const thumb = (name) => button({ mark: `thumb-${name}`, "aria-label": t[name],
    click: () => rate(name) }, icon("thumb"));
  const both = { up: thumb("up"), down: thumb("down") };
  return el("div", {}, el("div", { class: "rating", role: "group", "aria-label": t.rating },
    both.up, both.down, thanks), why);
}
