/** Requests to the server: addresses, errors, ids, retries. */

const FIRST_PAUSE = 0.5; // seconds between two attempts, doubled up to
const LONGEST_PAUSE = 15;
export const SILENCE = 90; // seconds without a byte after which a request is given up
const TEMPORARY = [401, 408, 425, 429]; // refusals that are worth another attempt

/** The server this file came from, wherever the page is. */
export const BASE = new URL(".", import.meta.url);

/** Return the address of a route under /api/; the parts are escaped. */
export const api = (...parts) =>
  new URL(`api/${parts.map(encodeURIComponent).join("/")}`, BASE).href;

/** The server refuses a request for good; `cause` is the status. */
export class RefusedError extends Error {}

/** Turn an error response into an error: RefusedError if another attempt is useless. */
export async function errorOf(response) {
  const body = await response.json().catch(() => ({}));
  const final = response.status < 500 && !TEMPORARY.includes(response.status);
  return new (final ? RefusedError : Error)(body.error?.message ?? "", { cause: response.status });
}

/** Fetch; throw the error of an error response. */
export async function fetchOk(url, options) {
  const response = await fetch(url, { signal: AbortSignal.timeout(1000 * SILENCE), ...options });
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** Return the options of a request that posts a value as JSON. */
export const jsonPost = (value, headers = {}) => ({ method: "POST", body: JSON.stringify(value),
  headers: { "Content-Type": "application/json", ...headers } });

/** Call `step` with ever longer pauses until it returns true. */
export async function retry(step) {
  for (let wait = FIRST_PAUSE; !(await step()); wait = Math.min(2 * wait, LONGEST_PAUSE)) {
    const signal = AbortSignal.timeout(1000 * wait);
    await new Promise((resolve) => {
      signal.addEventListener("abort", resolve);
      addEventListener("online", resolve, { once: true, signal });
    });
  }
}

/** Return 128 random bits, as in the server's ids; randomUUID is missing on pages without TLS. */
export const hex128 = () => crypto.getRandomValues(new BigUint64Array(2))
  .reduce((text, half) => text + half.toString(16).padStart(16, "0"), "");
