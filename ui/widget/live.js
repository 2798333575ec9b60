/** Server-sent events, read as they arrive. */

import { authFetch } from "./session.js";
import { SILENCE } from "./wire.js";

/** Yield {id, event, data} of a stream, until it ends, fails, falls silent or is aborted. */
export async function* listen(url, options) {
  const end = new AbortController();
  let timeout = 0;
  const restartTimeout = () => {
    clearTimeout(timeout);
    timeout = setTimeout(() => end.abort(), 1000 * SILENCE);
  };
  const headers = { ...options.headers, Accept: "text/event-stream" };
  const signal = AbortSignal.any([options.signal, end.signal]);
  try {
    restartTimeout();
    const response = await authFetch(url, { ...options, headers, signal });
    yield* serverEvents(response.body, restartTimeout);
  } finally {
    clearTimeout(timeout);
    end.abort();
  }
}

async function* serverEvents(body, restartTimeout) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let buffer = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    restartTimeout();
    const blocks = (buffer + value).split(/\r?\n\r?\n/);
    buffer = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(
        [...block.matchAll(/^(id|event|data): ?(.*)$/gm)].map(([, field, text]) => [field, text]));
      if (fields.data) yield { ...fields, data: JSON.parse(fields.data) };
    }
  }
}
