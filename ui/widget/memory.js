/** What the browser remembers of a conversation between two pages. */

import { BASE } from "./wire.js";

const KEY = `careline:${BASE.host}${BASE.pathname}`;

let kept = {}; // what is remembered where the browser forbids storage

/** Return {conversation, language, outbox}, as far as they are known. */
export function recall() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? kept;
  } catch {
    return kept;
  }
}

/** Change what is remembered. */
export function remember(change) {
  kept = { ...recall(), ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // `kept` has it until the page goes
  }
}
