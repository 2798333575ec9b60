/** A line of the conversation on the screen: text, files, sources, choices, rating. */

import { button, el, icon, link } from "./dom.js";
import { BASE, api } from "./wire.js";

const IMAGE = /^image\//;
const FILES_ONLY = /^📎( 文件)?$/; // the server's text for a message of files only

/** Make the row of a line; `actions` are send(text, shown), report(id, kind, body), reasons(choose). */
export function makeRow(line, t, actions) {
  const words = el("p", { class: "text", dir: "auto" });
  const who = el("span");
  const node = el("div", { class: `line ${line.role}`, mark: `message-${line.role}` }, who, words);
  const text = words.appendChild(new Text());
  const added = {};
  const addOnce = (part, make) => {
    if (!added[part]) node.append(...make());
    added[part] = true;
  };

  const update = (fresh, isLast) => {
    const name = { bot: t.bot, agent: `${fresh.author ?? t.agent} · ${t.person}`, customer: t.you };
    who.className = fresh.role === "customer" || fresh.role === "notice" ? "away" : "who";
    who.textContent = name[fresh.role] ?? "";
    const content = fresh.files?.length && FILES_ONLY.test(fresh.text) ? "" : fresh.text;
    if (content.startsWith(text.data)) text.appendData(content.slice(text.data.length)); // it grows
    else text.data = content;
    words.hidden = !content;
    node.classList.toggle("waiting", fresh.state === "waiting");
    node.classList.toggle("old", !isLast);
    if (fresh.files?.length) addOnce("files", () => fresh.files.map(makeFile));
    if (fresh.reply && fresh.id) addOnce("extras", () => makeExtras(fresh, t, actions));
  };
  return { node, update };
}

/** Make the link of a file: a picture if it can be shown, else its name. */
function makeFile({ name, media_type: kind, url }) {
  const label = el("bdi", {}, name);
  const href = new URL(url.slice(1), BASE).href;
  const anchor = link(href, label);
  if (IMAGE.test(kind)) {
    const picture = el("img", { alt: name, src: href,
      error: () => picture.replaceWith(label) });
    anchor.replaceChildren(picture);
  }
  return el("div", { mark: "file" }, anchor);
}

function makeExtras({ id, reply }, t, actions) {
  const articles = Map.groupBy(reply.citations, ({ article }) => article).values();
  const parts = [...articles].map((citations) => makeSource(citations, id, t, actions));
  if (reply.buttons.length) {
    parts.push(group("choices once", reply.buttons.map(({ title, payload }) =>
      button({ mark: "choice", click: () => actions.send(payload, title) }, bdi(title)))));
  }
  if (reply.related?.length) {
    parts.push(group("choices", [el("span", { class: "small" }, t.related),
      ...reply.related.map((title) =>
        button({ mark: "related", click: () => actions.send(title) }, bdi(title)))]));
  }
  parts.push(makeRating(id, t, actions));
  return parts;
}

const bdi = (text) => el("bdi", {}, text);
const group = (kind, children) => el("div", { class: kind }, ...children);

/** Make an article with its quotes. */
function makeSource(citations, id, t, actions) {
  const [{ article, title, url }] = citations;
  let href = api("articles", article); // if the article has no address, or an unsafe one
  if (/^(https?:)?\//i.test(url) && URL.canParse(url, BASE)) href = new URL(url, BASE).href;
  // The search learns from what customers open; a report that is lost does no harm.
  const opened = ({ target }) => target.open
    && actions.report(id, "opened", { article }).catch(() => 0);
  return el("details", { class: "citation", mark: "citation", toggle: opened },
    el("summary", {}, t.source, bdi(title || article)),
    ...citations.map(({ quote }) => el("blockquote", { dir: "auto" }, quote)),
    link(href, t.article));
}

/** Make two thumbs; the one that is down asks for the reason. */
function makeRating(id, t, actions) {
  const thanks = el("span", { class: "small", mark: "thanks" });
  const why = el("div");
  const rate = async (rating, reason) => {
    const saved = await actions.report(id, "feedback", { rating, reason })
      .then(() => true, () => false);
    thanks.textContent = saved ? t.thanks : t.refused;
    if (!saved) return;
    for (const name of ["up", "down"]) thumbs[name].setAttribute("aria-pressed", name === rating);
    why.replaceChildren();
    if (rating === "down" && !reason) {
      why.append(await actions.reasons((choice) => rate(rating, choice)));
    }
  };
  const thumb = (name) => button({ mark: `thumb-${name}`, "aria-label": t[name],
    click: () => rate(name) }, icon("thumb"));
  const thumbs = { up: thumb("up"), down: thumb("down") };
  return el("div", {}, el("div", { class: "rating", role: "group", "aria-label": t.rating },
    thumbs.up, thumbs.down, thanks), why);
}
