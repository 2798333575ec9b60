/** Event streams, read as they come. */

import { ask } from "./session.js";
import { SILENCE } from "./wire.js";

/** Yield {id, event, data} of a stream, until it ends, fails, falls silent or is aborted. */
export async function* listen(url, options) {
  const end = new AbortController();
  let watch = 0;
  const alive = () => {
    clearTimeout(watch);
    watch = setTimeout(() => end.abort(), 1000 * SILENCE);
  };
  const headers = { ...options.headers, Accept: "text/event-stream" };
  const signal = AbortSignal.any([options.signal, end.signal]);
  try {
    alive();
    const response = await ask(url, { ...options, headers, signal });
    yield* serverEvents(response.body, alive);
  } finally {
    clearTimeout(watch);
    end.abort();
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
