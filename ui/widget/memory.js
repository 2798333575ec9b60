/** What the browser remembers of a conversation between two pages, and shares between tabs. */

import { BASE } from "./wire.js";

const KEY = `careline:${BASE.host}${BASE.pathname}`;
const OUT = `${KEY}:out:`;

/** The browser's storage; where that is forbidden, one that lasts until the page goes. */
const store = (() => {
  try {
    localStorage[`${KEY}:`] = "";
    return localStorage;
  } catch {
    return {};
  }
})();

const parsed = (key) => JSON.parse(store[key] ?? "null");

/** Return {conversation, session, visitor, read, …}, as far as they are known. */
export const recall = () => parsed(KEY) ?? {};

/** Change what is remembered. */
export const remember = (change) => {
  store[KEY] = JSON.stringify({ ...recall(), ...change });
};

/** Call back when another tab changed what is remembered; the signal ends it. */
export const watch = (changed, signal) =>
  addEventListener("storage", ({ key }) => key === KEY && changed(), { signal });

/** Messages without a reply yet: each has a key of its own, so tabs never lose another's. */
export const outbox = {
  add(message) {
    store[OUT + message.id] = JSON.stringify({ ...message, at: Date.now() });
  },
  has: (id) => OUT + id in store,
  drop: (id) => delete store[OUT + id],
  all: () => Object.keys(store).filter((key) => key.startsWith(OUT)).map(parsed)
    .sort((one, other) => one.at - other.at),
};
