// The cases as a list that draws only what is in sight, in an order that does not move under the eye.

import { el, put, said } from "./dom.js";
import { kindName, row } from "./row.js";
import { known, plain, SEVERITIES } from "./words.js";

/** Heights of rows, as the style sheet has them. */
const ROW = 96;
const HEAD = 34;
/** Drawn above and below what is in sight. */
const BEYOND = 6 * ROW;
/** Cases before the end at which the next part is asked for. */
const AHEAD = 40;

/** Under which heads a case stands: `[key, label, kind]`. */
const HEADS = {
  person: (one) => [[`${one.who.kind}|${one.who.id}`, one.who.name || one.who.id || "unknown", one.who.kind]],
  pattern: (one) => one.patterns.map((f) => [f.pattern, `${f.pattern} ${f.name}`, ""]),
  agent: (one) => one.ties.filter((tie) => tie.kind === "agent").map((tie) => [tie.id, tie.name, ""]),
};
const WITHOUT = { person: "", pattern: "No active pattern", agent: "No agent" };

/** Rows and heads in the order shown. */
function items(store, group, folded) {
  const of = known(HEADS, group);
  if (!of) return store.order.map((id) => ({ key: id, id }));
  const groups = new Map();
  for (const id of store.order) {
    const one = store.cases.get(id);
    if (!one) continue;
    const heads = of(one);
    for (const [key, label, kind] of heads.length ? heads : [["", WITHOUT[group], ""]]) {
      const found = groups.get(key) ?? { key, label, kind, ids: [], score: 0, severity: 1 };
      found.ids.push(id);
      found.score = Math.max(found.score, one.score);
      found.severity = Math.max(found.severity, one.severity);
      groups.set(key, found);
    }
  }
  // The worst first; equal ones as they came, the newest first.
  const sorted = [...groups.values()].sort((a, b) => b.score - a.score || b.ids.length - a.ids.length);
  return sorted.flatMap((head) => [{ key: `head ${head.key}`, head, isFolded: folded.has(head.key) }, ...(folded.has(head.key) ? [] : head.ids.map((id) => ({ key: `${id} ${head.key}`, id })))]);
}

export class List {
  #node;
  #store;
  #view;
  #items = [];
  #tops = [0];
  #shown = new Map();
  #folded = new Set();
  #dirty = new Set();
  #due = 0;
  #above = el("li", { class: "space", "aria-hidden": "true" });
  #below = el("li", { class: "space", "aria-hidden": "true" });
  /** The row at which the person is. */
  #at = -1;

  /** `view()` gives `{ chosen, picked, group, mayPick, href(id) }`. */
  constructor(node, store, view) {
    this.#node = node;
    this.#store = store;
    this.#view = view;
    node.addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#soon()).observe(node);
  }

  /** Draws the list anew. */
  draw() {
    const { group } = this.#view();
    const before = this.#items[this.#at]?.key;
    this.#items = items(this.#store, group, this.#folded);
    this.#tops = [0];
    for (const item of this.#items) this.#tops.push(this.#tops.at(-1) + (item.head ? HEAD : ROW));
    this.#at = before === undefined ? -1 : this.#items.findIndex((item) => item.key === before);
    this.#shown.clear();
    if (!this.#items.length) {
      put(this.#node, nothing(this.#store));
      return;
    }
    put(this.#node, this.#above, this.#below);
    this.#paint();
  }

  /** Draws what changed of one case, with the next frame. */
  redraw(id) {
    this.#dirty.add(id);
    this.#soon();
  }

  #soon() {
    this.#due ||= requestAnimationFrame(() => {
      this.#due = 0;
      this.#paint();
    });
  }

  /** Of the items, the first whose end is below a height. */
  #under(height) {
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#tops[middle + 1] <= height) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #paint() {
    if (!this.#items.length) return;
    const { scrollTop, clientHeight } = this.#node;
    const first = this.#under(scrollTop - BEYOND);
    const last = Math.min(this.#items.length, this.#under(scrollTop + clientHeight + BEYOND) + 1);
    const view = this.#view();
    const shown = new Map();
    let next = this.#above.nextSibling;
    for (let n = first; n < last; n++) {
      const item = this.#items[n];
      let node = this.#shown.get(item.key);
      if (!node || this.#dirty.has(item.id)) {
        const fresh = this.#make(item, n, view);
        if (node && this.#store.unseen.has(item.id)) fresh.classList.add("flash");
        if (node) {
          if (next === node) next = fresh;
          node.replaceWith(fresh);
        }
        node = fresh;
      }
      shown.set(item.key, node);
      if (next === node) next = node.nextSibling;
      else this.#node.insertBefore(node, next);
    }
    while (next && next !== this.#below) {
      const after = next.nextSibling;
      next.remove();
      next = after;
    }
    this.#shown = shown;
    this.#dirty.clear();
    this.#above.style.height = `${this.#tops[first]}px`;
    this.#below.style.height = `${this.#tops.at(-1) - this.#tops[last]}px`;
    if (last + AHEAD >= this.#items.length && !view.group) this.#store.more();
  }

  #make(item, n, view) {
    if (item.head) return this.#head(item);
    const one = this.#store.cases.get(item.id);
    if (!one) return el("li", { class: "case" });
    const { chosen, picked, mayPick, href } = view;
    return row(one, { chosen: one.id === chosen, picked: picked.has(one.id), unseen: this.#store.unseen.has(one.id), answer: this.#store.decided.get(one.id), assignee: this.#store.assigned.get(one.id), mayPick, href: href(one.id), place: n + 1, count: this.#items.length });
  }

  #head({ head, isFolded }) {
    const press = () => {
      if (!this.#folded.delete(head.key)) this.#folded.add(head.key);
      this.draw();
    };
    return el("li", { class: `group s-${SEVERITIES[head.severity]}` }, el("button", { class: "group-head", "aria-expanded": String(!isFolded), onclick: press }, el("span", { class: "fold", "aria-hidden": "true" }, isFolded ? "▸" : "▾"), said(head.label, { class: "name" }), head.kind && head.kind !== "identity" && el("span", { class: "kind" }, kindName(head.kind)), el("span", { class: "group-count" }, head.ids.length.toLocaleString("en-GB")), el("span", { class: "group-score" }, head.score)));
  }

  /** The id so many rows from the chosen one. */
  step(by, chosen) {
    const rows = this.#items;
    let at = rows[this.#at]?.id === chosen ? this.#at : rows.findIndex((item) => item.id === chosen);
    if (at < 0 && chosen) at = -1;
    if (at < 0 && by < 0) at = rows.length;
    for (let n = at + by; n >= 0 && n < rows.length; n += by) {
      if (!rows[n].id) continue;
      this.#at = n;
      return rows[n].id;
    }
    return rows[at]?.id ?? "";
  }

  /** Brings a case into sight. */
  show(id) {
    const at = this.#items[this.#at]?.id === id ? this.#at : this.#items.findIndex((item) => item.id === id);
    if (at < 0) return;
    const [top, bottom] = [this.#tops[at], this.#tops[at + 1]];
    const node = this.#node;
    if (top < node.scrollTop) node.scrollTop = Math.max(0, top - HEAD);
    else if (bottom > node.scrollTop + node.clientHeight) node.scrollTop = bottom - node.clientHeight;
  }

  /** The cases shown, in their order, each once. */
  get ids() {
    return [...new Set(this.#items.map((item) => item.id).filter(Boolean))];
  }
}

/** What stands there while there is nothing to list. */
function nothing(store) {
  if (store.state === "locked") return [];
  if (store.state === "refused") return empty("none", "!", "These filters cannot be used", store.fault);
  if (store.state !== "live") {
    return [1, 2, 3, 4, 5].map(() => el("li", { class: "ghost", "aria-hidden": "true" }, el("div", { class: "g-score" }), el("div", { class: "g-lines" }, el("div", { class: "g g1" }), el("div", { class: "g g2" }), el("div", { class: "g g3" }))));
  }
  const isFiltered = [...store.filter.keys()].some((name) => name !== "status");
  if (isFiltered) return empty("none", "0", "No case matches", "Loosen the filters above, or clear the text.");
  return empty("", "✓", `No ${plain(store.filter.get("status") ?? "")} case`, "Deskwarden is watching. A new case appears here by itself, within a second.");
}

function empty(kind, mark, title, text) {
  return el("li", { class: "empty" }, el("div", { class: `empty-mark ${kind}`, "aria-hidden": "true" }, mark), el("b", {}, title), el("p", {}, text));
}
