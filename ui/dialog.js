// Windows over the page, and short notes at its foot.

import { el, put } from "./dom.js";
import { named, nameOf } from "./keep.js";

const NOTE_MS = 9_000;
let number = 0;

/**
 * Opens a window; returns it with what closes it. The focus goes to the first field marked `data-first`
 * and back to where it was at the end.
 */
export function open(title, content, { wide = false, onclose } = {}) {
  const before = document.activeElement;
  const name = nameOf(document, before);
  const id = `dialog-${++number}`;
  const dialog = el("dialog", { class: wide ? "wide" : "", "aria-labelledby": id }, el("h2", { id }, title), content);
  // At once, not with the event that follows: a key pressed in between would go to a field that is no more.
  const gone = () => {
    if (!dialog.isConnected) return;
    dialog.remove();
    onclose?.();
    // What had the focus may have been drawn anew.
    (before.isConnected ? before : (named(document, name) ?? document.querySelector("main")))?.focus();
  };
  const close = () => {
    dialog.close();
    gone();
  };
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  dialog.addEventListener("close", gone);
  // A press on the ground beside the window leaves it.
  dialog.addEventListener("mousedown", (event) => {
    if (event.target === dialog) close();
  });
  document.body.append(dialog);
  dialog.showModal();
  (dialog.querySelector("[data-first]") ?? dialog.querySelector("input, textarea, select, button"))?.focus();
  return { dialog, close };
}

/** Whether a window is open. */
export const isOpen = () => document.querySelector("dialog[open]") !== null;

const notes = el("div", { class: "notes", role: "status", "aria-live": "polite" });

/** Says something at the foot of the page for a while. */
export function note(text, { bad = false, href, more } = {}) {
  if (!notes.isConnected) document.body.append(notes);
  const one = el("div", { class: bad ? "note bad" : "note" }, el("span", {}, text), href && el("a", { href }, more), el("button", { class: "bare", "aria-label": "Dismiss", onclick: () => one.remove() }, "✕"));
  notes.append(one);
  while (notes.children.length > 3) notes.firstChild.remove();
  setTimeout(() => one.remove(), NOTE_MS);
}

/** A field with its name, and what is to be known of it. */
export function field(name, input, hint) {
  const id = (input.id ||= `field-${++number}`);
  const told = hint && el("small", { id: `${id}-hint` }, hint);
  if (told) input.setAttribute("aria-describedby", told.id);
  return el("div", { class: "field" }, el("label", { for: id }, name), input, told);
}

/** One of several answers, as buttons that the arrow keys go through. `options`: [value, name, hint]. */
export function choice(legend, name, options, chosen) {
  const group = `${name}-${++number}`;
  const rows = options.map(([value, text, hint], n) =>
    el("label", { class: "option" }, el("input", { type: "radio", name: group, value, checked: value === chosen, "data-digit": n + 1, "data-first": n === 0 && !chosen }), el("span", { class: "option-text" }, el("b", {}, text), hint && el("small", {}, hint)), n < 9 && el("kbd", { "aria-hidden": "true" }, n + 1)),
  );
  const set = el("fieldset", { class: `options ${name}` }, el("legend", {}, legend), rows);
  return { set, value: () => set.querySelector("input:checked")?.value ?? "" };
}

/** Takes the faults of the last time away from their fields. */
function cleared(made) {
  for (const told of made.querySelectorAll(".field-fault")) told.remove();
  for (const input of made.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.setAttribute("aria-describedby", (input.getAttribute("aria-describedby") ?? "").replace(/\s*\S+-fault$/, ""));
  }
}

/** Says faults at the fields that they name, the first of which gets the focus; those of none are left. */
function atFields(faults, fields) {
  const left = [];
  const wrong = [];
  for (const fault of faults) {
    const names = [...fault.matchAll(/`(?:scope\.)?(\w+)`/g)].map(([, name]) => name);
    const name = [/^(\w+):/.exec(fault)?.[1], ...names].find((each) => fields.get(each));
    const input = fields.get(name);
    if (!input) {
      left.push(fault);
      continue;
    }
    const id = `${input.id}-fault`;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", [input.getAttribute("aria-describedby"), id].filter(Boolean).join(" "));
    input.after(el("small", { class: "field-fault", id, role: "alert" }, fault.replaceAll("`", "").replace(/^scope\./, "")));
    wrong.push(input);
  }
  wrong[0]?.focus();
  return left;
}

/**
 * A form in a window: digits choose, Ctrl-Enter sends; `send` throws what is to be read. `fields()` gives
 * the fields by the names that the server has for them.
 */
export function form(parts, { submit, send, cancel, fields }) {
  const fault = el("p", { class: "fault", role: "alert", hidden: true });
  const button = el("button", { class: "primary", type: "submit" }, submit);
  const made = el("form", { class: "form" }, parts, fault, el("div", { class: "buttons" }, el("small", { class: "muted grow" }, el("kbd", {}, "Ctrl"), " ", el("kbd", {}, "Enter"), " sends"), el("button", { type: "button", onclick: () => cancel() }, "Cancel"), button));
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    fault.hidden = true;
    cleared(made);
    try {
      await send();
    } catch (error) {
      const left = fields && error.faults ? atFields(error.faults, fields()) : [error.message];
      put(fault, left.join("; "));
      fault.hidden = left.length === 0;
    } finally {
      button.disabled = false;
    }
  });
  made.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      made.requestSubmit();
    }
    if (/^[1-9]$/.test(event.key) && !/^(text|search|number|textarea|select-one|datetime-local)$/.test(event.target.type ?? "")) {
      const found = made.querySelector(`.options input[data-digit="${event.key}"]`);
      if (found) {
        event.preventDefault();
        found.checked = true;
        found.focus();
        found.dispatchEvent(new Event("change", { bubbles: true }));
      }
    }
  });
  return made;
}
