// Reads Server-Sent Events with fetch, which EventSource cannot do with headers of our own.

import { ask } from "./session.js";

/** Turns text as it comes into events; keeps what is not complete yet. */
export class Parser {
  #rest = "";

  /** The events that this text completes. */
  push(text) {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.map(event).filter((found) => found.id || found.data);
  }
}

function event(block) {
  const found = { event: "message", id: "", data: "" };
  const data = [];
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at <= 0) continue;
    const value = line.slice(at + 1).replace(/^ /, "");
    const name = line.slice(0, at);
    if (name === "data") data.push(value);
    else if (name === "event" || name === "id") found[name] = value;
  }
  found.data = data.join("\n");
  return found;
}

/**
 * Reads a stream to its end. `onopen` once it answers, `onevent` for each event, `onbeat` for every
 * sign of life.
 */
export async function listen(url, lastId, { signal, onopen, onevent, onbeat }) {
  const headers = { accept: "text/event-stream" };
  if (lastId) headers["last-event-id"] = lastId;
  const response = await ask(url, { headers, signal });
  if (!response.ok) throw new Error(`the live feed answers ${response.status}`);
  onopen();
  const parser = new Parser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    onbeat();
    for (const found of parser.push(value)) onevent(found);
  }
}
