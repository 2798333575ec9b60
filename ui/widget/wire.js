/** Talking to the server: addresses, errors, event streams, ids, trying again. */

const LONGEST_PAUSE = 15; // seconds between two tries
const SILENCE = 90; // seconds without a byte after which a stream counts as cut off
const PASSING = new Set([408, 425, 429]); // refusals that are worth another try

/** The server this file came from, wherever the page is. */
export const BASE = new URL("..", import.meta.url);

/** Return the address of a route under /api/; the parts are escaped. */
export const api = (...parts) =>
  new URL(`api/${parts.map(encodeURIComponent).join("/")}`, BASE).href;

/** The server will not take this message, however often it is sent. */
export class Refused extends Error {}

/** Turn an error response into an error: Refused where another try is no use. */
export async function problem(response) {
  const body = await response.json().catch(() => ({}));
  const final = response.status < 500 && !PASSING.has(response.status);
  return new (final ? Refused : Error)(body.error?.message ?? "", { cause: response.status });
}

/** Yield {event, data} of the event stream at an address, until it ends, fails or falls silent. */
export async function* listen(url, options, request) {
  let watch = 0;
  const alive = () => {
    clearTimeout(watch);
    watch = setTimeout(() => request.abort(), 1000 * SILENCE);
  };
  const headers = { ...options.headers, Accept: "text/event-stream" };
  try {
    alive();
    const response = await fetch(url, { ...options, headers, signal: request.signal });
    if (!response.ok) throw await problem(response);
    yield* serverEvents(response.body, alive);
  } finally {
    clearTimeout(watch);
    request.abort();
  }
}

/** Send a value as JSON. */
export const posted = (value) => ({
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value),
});

async function* serverEvents(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let buffer = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    const blocks = (buffer + value).split(/\r\n\r\n|\n\n|\r\r/);
    buffer = blocks.pop();
    for (const block of blocks) {
      const found = parseEvent(block);
      if (found) yield found;
    }
  }
}

function parseEvent(block) {
  let event = "message";
  const data = [];
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
  return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
}

/** Call `step` with 1, 2, 4, … 15 seconds between the tries until it returns true. */
export async function insist(step) {
  for (let wait = 1; !(await step()); wait = Math.min(2 * wait, LONGEST_PAUSE)) {
    const signal = AbortSignal.timeout(1000 * wait);
    await new Promise((resolve) => {
      signal.addEventListener("abort", resolve);
      addEventListener("online", resolve, { once: true, signal });
    });
  }
}

/** Return 128 random bits; randomUUID is missing on pages without TLS. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return hex128();
}

/** The server's kind of conversation id, made here so that even a first message can be resent. */
export function hex128() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
