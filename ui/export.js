// A case to take along: the document as it is, or a text for a ticket.

import { note, open } from "./dialog.js";
import { el } from "./dom.js";
import { ask, Unknown } from "./session.js";

/** Hands a file to the browser. */
export function save(name, blob) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The OCSF document of a case, byte for byte. */
export async function download(id) {
  try {
    const response = await ask(`/api/v1/alerts/${encodeURIComponent(id)}`);
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    save(`deskwarden-${id.replace(/[^\w-]/g, "").slice(0, 40)}.json`, await response.blob());
  } catch (error) {
    if (!(error instanceof Unknown)) note(`The document cannot be had: ${error.message}.`, { bad: true });
  }
}

/** Puts a case into the clipboard as Markdown; where that is not allowed, shows the text to be copied. */
export async function copyMarkdown(one) {
  let text;
  try {
    const response = await ask(`/api/v1/alerts/${encodeURIComponent(one.id)}/explain`);
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    text = await response.text();
  } catch (error) {
    if (!(error instanceof Unknown)) note(`The text cannot be had: ${error.message}.`, { bad: true });
    return;
  }
  try {
    await navigator.clipboard.writeText(text);
    note("Copied as Markdown.");
  } catch {
    const area = el("textarea", { rows: "18", readonly: true, "data-first": true, "aria-label": "The case as Markdown" });
    area.value = text;
    const { close } = open("The case as Markdown", [el("p", { class: "muted" }, "The browser does not let the page copy it: take it from here."), area, el("div", { class: "buttons" }, el("button", { onclick: () => close() }, "Close"))], { wide: true });
    area.select();
  }
}
