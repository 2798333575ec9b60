/** What the browser stores of a conversation, for the next page and for other tabs. */

import { BASE } from "./wire.js";

const KEY = `careline:${BASE.host}${BASE.pathname}`;
const OUTBOX = `${KEY}:out:`;

/** The browser's storage; an object that lasts as long as the page if storage is forbidden. */
const store = (() => {
  try {
    localStorage[`${KEY}:`] = "";
    return localStorage;
  } catch {
    return {};
  }
})();

const parsed = (key) => JSON.parse(store[key] ?? "null");

/** Return {conversation, session, visitor, read, …}, those that are known. */
export const recall = () => parsed(KEY) ?? {};

/** Store changes. */
export const remember = (change) => {
  store[KEY] = JSON.stringify({ ...recall(), ...change });
};

/** Call `changed` when another tab stores changes; the signal ends it. */
export const watch = (changed, signal) =>
  addEventListener("storage", ({ key }) => key === KEY && changed(), { signal });

/** Messages without a reply yet, each under a key of its own: tabs never lose another's. */
export const outbox = {
  add(message) {
    store[OUTBOX + message.id] = JSON.stringify({ ...message, at: Date.now() });
  },
  has: (id) => OUTBOX + id in store,
  drop: (id) => delete store[OUTBOX + id],
  all: () => Object.keys(store).filter((key) => key.startsWith(OUTBOX)).map(parsed)
    .sort((message, other) => message.at - other.at),
};
