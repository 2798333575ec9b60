/** The visitor's session: signed by the server, shown with every request about a conversation. */

import { recall, remember } from "./memory.js";
import { api, fetched, posted } from "./wire.js";

const RENEWED = 24 * 3600 * 1000; // milliseconds after which a session is made anew

/** What is remembered of a conversation, when there is none. */
export const FRESH = { conversation: null, read: 0, introduced: false, rated: false };

let asked = null; // one request for all who wait

const bearer = ({ session }) => (session ? { Authorization: `Bearer ${session}` } : {});

/** Return the headers that show who asks; a new session may begin a new conversation. */
export async function shown() {
  if (Date.now() - (recall().since ?? 0) > RENEWED) {
    await (asked ??= renew().finally(() => (asked = null)));
  }
  return bearer(recall());
}

/** Fetch as this visitor; a session that is no longer taken is made anew next time. */
export async function ask(url, options) {
  const headers = { ...options?.headers, ...(await shown()) };
  try {
    return await fetched(url, { ...options, headers });
  } catch (error) {
    if (error.cause === 401) remember({ since: 0 });
    throw error;
  }
}

/** Make or renew the session, as a customer's where an identity {id, hmac} is given. */
export async function renew(identity) {
  const before = recall();
  const made = await (await fetched(api("sessions"), posted({ identity }, bearer(before)))).json();
  const after = recall();
  if (after.session && !before.session && !identity) return; // another tab was faster
  remember({ session: made.session, since: Date.now(), visitor: made.visitor,
    largest: made.attachment_bytes,
    ...(after.visitor && after.visitor !== made.visitor && FRESH) }); // another visitor, another conversation
}

/** Forget who the visitor is. */
export const leave = () => remember({ ...FRESH, session: null, visitor: null, since: 0 });
