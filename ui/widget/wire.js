/** Talking to the server: addresses, errors, event streams, ids, trying again. */

const FIRST_PAUSE = 0.5; // seconds between two tries, doubled up to
const LONGEST_PAUSE = 15;
const SILENCE = 90; // seconds without a byte after which a stream counts as cut off
const PASSING = [401, 408, 425, 429]; // refusals that are worth another try

/** The server this file came from, wherever the page is. */
export const BASE = new URL(".", import.meta.url);

/** Return the address of a route under /api/; the parts are escaped. */
export const api = (...parts) =>
  new URL(`api/${parts.map(encodeURIComponent).join("/")}`, BASE).href;

/** The server will not take this, however often it is sent; `cause` is the status. */
export class Refused extends Error {}

/** Turn an error response into an error: Refused where another try is no use. */
export async function problem(response) {
  const body = await response.json().catch(() => ({}));
  const final = response.status < 500 && !PASSING.includes(response.status);
  return new (final ? Refused : Error)(body.error?.message ?? "", { cause: response.status });
}

/** Fetch, and throw what `problem` makes of an error. */
export async function ask(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) throw await problem(response);
  return response;
}

/** Send a value as JSON. */
export const posted = (value, headers = {}) => ({ method: "POST", body: JSON.stringify(value),
  headers: { "Content-Type": "application/json", ...headers } });

/** Yield {id, event, data} of an event stream, until it ends, fails, falls silent or is aborted. */
export async function* listen(url, options, request) {
  let watch = 0;
  const alive = () => {
    clearTimeout(watch);
    watch = setTimeout(() => request.abort(), 1000 * SILENCE);
  };
  const headers = { ...options.headers, Accept: "text/event-stream" };
  try {
    alive();
    const response = await ask(url, { ...options, headers, signal: request.signal });
    yield* serverEvents(response.body, alive);
  } finally {
    clearTimeout(watch);
    request.abort();
  }
}

async function* serverEvents(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let buffer = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    const blocks = (buffer + value).split(/\r?\n\r?\n/);
    buffer = blocks.pop();
    for (const block of blocks) {
      const found = Object.fromEntries(
        [...block.matchAll(/^(id|event|data): ?(.*)$/gm)].map(([, field, text]) => [field, text]));
      if (found.data) yield { ...found, data: JSON.parse(found.data) };
    }
  }
}

/** Call `step` with ever longer pauses between the tries until it returns true. */
export async function insist(step) {
  for (let wait = FIRST_PAUSE; !(await step()); wait = Math.min(2 * wait, LONGEST_PAUSE)) {
    const signal = AbortSignal.timeout(1000 * wait);
    await new Promise((resolve) => {
      signal.addEventListener("abort", resolve);
      addEventListener("online", resolve, { once: true, signal });
    });
  }
}

/** 128 random bits, the server's kind of id; randomUUID is missing on pages without TLS. */
export const hex128 = () => Array.from(crypto.getRandomValues(new Uint8Array(16)),
  (byte) => byte.toString(16).padStart(2, "0")).join("");
