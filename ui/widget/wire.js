/** Talking to the server: addresses, errors, ids, trying again. */

const FIRST_PAUSE = 0.5; // seconds between two tries, doubled up to
const LONGEST_PAUSE = 15;
export const SILENCE = 90; // seconds after which a request without an answer, or a byte, is given up
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
export async function fetched(url, options) {
  const response = await fetch(url, { signal: AbortSignal.timeout(1000 * SILENCE), ...options });
  if (!response.ok) throw await problem(response);
  return response;
}

/** Send a value as JSON. */
export const posted = (value, headers = {}) => ({ method: "POST", body: JSON.stringify(value),
  headers: { "Content-Type": "application/json", ...headers } });

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
export const hex128 = () => crypto.getRandomValues(new BigUint64Array(2))
  .reduce((text, half) => text + half.toString(16).padStart(16, "0"), "");
