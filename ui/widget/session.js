/** The visitor's session: signed by the server, sent with every request about a conversation. */

import { recall, remember } from "./memory.js";
import { api, fetchOk, jsonPost } from "./wire.js";

const MAX_AGE = 24 * 3600 * 1000; // milliseconds after which a session is renewed

/** What is remembered when there is no conversation. */
export const NO_CONVERSATION = { conversation: null, read: 0, introduced: false, rated: false };

let renewal = null; // one request for all callers

const bearer = ({ session }) => (session ? { Authorization: `Bearer ${session}` } : {});

/** Return the visitor's headers; a new session may begin a new conversation. */
export async function authHeaders() {
  if (Date.now() - (recall().since ?? 0) > MAX_AGE) {
    await (renewal ??= renewSession().finally(() => (renewal = null)));
  }
  return bearer(recall());
}

/** Fetch as this visitor; a session that the server rejects is renewed next time. */
export async function authFetch(url, options) {
  const headers = { ...options?.headers, ...(await authHeaders()) };
  try {
    return await fetchOk(url, { ...options, headers });
  } catch (error) {
    if (error.cause === 401) remember({ since: 0 });
    throw error;
  }
}

/** Create or renew the session; an identity {id, hmac} makes it a customer's. */
export async function renewSession(identity) {
  const before = recall();
  const created = await (await fetchOk(api("sessions"), jsonPost({ identity }, bearer(before)))).json();
  const after = recall();
  if (after.session && !before.session && !identity) return; // another tab was faster
  remember({ session: created.session, since: Date.now(), visitor: created.visitor,
    largest: created.attachment_bytes,
    // another visitor, another conversation
    ...(after.visitor && after.visitor !== created.visitor && NO_CONVERSATION) });
}

/** Forget who the visitor is. */
export const clearSession = () =>
  remember({ ...NO_CONVERSATION, session: null, visitor: null, since: 0 });
