// Builds elements. Text reaches the document through text nodes only, so that nothing a ticket, a
// caller or a source says can become markup.

const SVG = "http://www.w3.org/2000/svg";
/** Longest text that is shown in one place. */
const TEXT_MAX = 600;
/** Characters that hide, reorder or delete others, or are half of one: shown by their number. */
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;
/** Marks piled on one letter cover the lines around it: two of them are enough for any script. */
const PILED = /(\p{M}{2})\p{M}+/gu;

/** What of a text may be seen: hidden characters by their number, and not more than fits. */
export function visible(text) {
  const whole = String(text ?? "");
  const cut = whole.length > TEXT_MAX ? `${whole.slice(0, TEXT_MAX)}…` : whole;
  return cut.replace(PILED, "$1").replace(HIDDEN, (c) => `⟨U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(visible(child)));
  }
}

/** An HTML element. */
export function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Replaces what a node holds. */
export function put(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

/** A text that comes from outside: kept in its own direction. */
export function said(text, attributes) {
  return el("bdi", attributes, text);
}
