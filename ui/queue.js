// The left side: filters, how many there are, what is selected, and the list.

import { el, put, said } from "./dom.js";
import { List } from "./list.js";
import { own } from "./assign.js";
import { GROUPS } from "./route.js";
import { may } from "./session.js";
import { plain } from "./words.js";

const SEVERITY = ["all", "medium", "high", "critical"];
const STATUS = ["open", "closed"];
/** Filters that other views set; shown as marks that can be taken off. */
const MARKED = ["pattern", "tier", "family", "severity", "entity", "agent", "ticket", "from", "to", "assignee"];

export class Queue {
  picked = new Set();
  #store;
  #page;
  #list;
  #typing = 0;

  /** `page` gives `query()`, `chosen()`, `href(id)`, and takes `choose(name, value)`, `decide()`, `take()`. */
  constructor(store, page) {
    this.#store = store;
    this.#page = page;
    this.count = el("span", { class: "count" });
    this.pill = el("button", { class: "pill", hidden: true, title: "Show them (n)", onclick: () => store.arrange() });
    this.cases = el("ul", { class: "cases", "aria-label": "Cases", tabindex: "0" });
    this.text = el("input", { type: "search", placeholder: "Filter: person, ticket, id", "aria-label": "Filter the cases", title: "Filter (/)", maxlength: "120" });
    this.group = el("select", { "aria-label": "Group the cases", title: "Group by (g)" }, el("option", { value: "" }, "ungrouped"), GROUPS.map((name) => el("option", { value: name }, `by ${name}`)));
    this.taken = el("select", { "aria-label": "Whose cases" }, el("option", { value: "" }, "anybody's"), el("option", { value: "none" }, "nobody's"), el("option", { value: "mine" }, "mine"));
    this.severities = SEVERITY.map((name) => el("button", { class: "seg", "data-min": name, onclick: () => page.choose("min_severity", name === "all" ? "" : name) }, name === "all" || name === "critical" ? name : `${name}+`));
    this.statuses = STATUS.map((name) => el("button", { class: "seg", "data-status": name, onclick: () => page.choose("status", name === "open" ? "" : name) }, name));
    this.marks = el("div", { class: "marks" });
    this.bulk = el("div", { class: "bulk", hidden: true });
    this.side = el(
      "section",
      { class: "side", "aria-label": "Queue" },
      el("div", { class: "filters" }, el("div", { class: "filter-row" }, el("div", { class: "segs", role: "group", "aria-label": "Status" }, this.statuses), el("div", { class: "segs wide", role: "group", "aria-label": "Severity from" }, this.severities)), el("div", { class: "filter-row" }, this.text, this.group), this.marks),
      el("div", { class: "side-head" }, this.count, this.bulk, this.taken, el("span", { class: "grow" }), this.pill),
      this.cases,
    );
    this.#list = new List(this.cases, store, () => ({ chosen: page.chosen(), picked: this.picked, group: page.query().get("group") ?? "", mayPick: may("analyst"), href: page.href }));
    this.text.addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => page.choose("text", this.text.value.trim()), 200);
    });
    this.taken.addEventListener("change", () => page.choose("assignee", this.taken.value === "mine" ? own() : this.taken.value));
    this.group.addEventListener("change", () => page.choose("group", this.group.value));
    this.cases.addEventListener("change", (event) => {
      const id = event.target.closest("[data-id]")?.dataset.id;
      if (id) this.toggle(id);
    });
  }

  draw() {
    this.#list.draw();
    this.drawTools();
    this.drawCount();
    if (this.#page.query().get("group")) this.#store.all();
  }

  /** More came at the end: what stands there stays. */
  grown() {
    const top = this.cases.scrollTop;
    this.#list.draw();
    this.cases.scrollTop = top;
    this.drawCount();
  }

  redraw(id) {
    this.#list.redraw(id);
  }

  show(id) {
    this.#list.show(id);
  }

  step(by, chosen) {
    return this.#list.step(by, chosen);
  }

  drawTools() {
    const query = this.#page.query();
    const status = query.get("status") ?? "open";
    for (const seg of this.severities) seg.setAttribute("aria-pressed", String(seg.dataset.min === (query.get("min_severity") ?? "all")));
    for (const seg of this.statuses) seg.setAttribute("aria-pressed", String(seg.dataset.status === status));
    if (document.activeElement !== this.text) this.text.value = query.get("text") ?? "";
    this.group.value = query.get("group") ?? "";
    const assignee = query.get("assignee") ?? "";
    const isMine = assignee !== "" && assignee === own();
    this.taken.value = isMine ? "mine" : assignee === "none" ? "none" : "";
    this.taken.lastChild.hidden = !own();
    const set = MARKED.filter((name) => query.get(name) && !(name === "assignee" && this.taken.value));
    this.marks.hidden = set.length === 0;
    put(this.marks, set.map((name) => el("button", { class: "mark-off", title: "Take this filter off", onclick: () => this.#page.choose(name, "") }, `${plain(name)} `, said(query.get(name)), " ✕")));
  }

  drawCount() {
    const { order, total, fresh, filter, state } = this.#store;
    const shown = order.length;
    const what = filter.get("status") ?? "";
    const rest = total > shown + fresh.size ? ` of ${total.toLocaleString("en-GB")}` : "";
    put(this.count, ["loading", "locked", "refused"].includes(state) && !shown ? "" : `${shown.toLocaleString("en-GB")}${rest} ${what}`);
    this.pill.hidden = fresh.size === 0;
    put(this.pill, `${fresh.size} new ↑`);
    const many = this.picked.size;
    this.bulk.hidden = many === 0;
    this.count.hidden = many > 0;
    this.taken.hidden = many > 0;
    put(this.bulk, el("b", {}, `${many} selected`), el("button", { title: "Decide (d)", onclick: () => this.#page.decide() }, "Decide"), el("button", { title: "Take (t)", onclick: () => this.#page.take() }, "Take"), el("button", { class: "bare", title: "Select none (Shift X)", onclick: () => this.clear() }, "Clear"));
  }

  toggle(id) {
    if (!may("analyst") || !this.#store.cases.get(id)?.isOpen) return;
    if (!this.picked.delete(id)) this.picked.add(id);
    this.redraw(id);
    this.drawCount();
  }

  /** Selects all that are shown, or none. */
  toggleAll() {
    if (!may("analyst")) return;
    if (this.picked.size) return this.clear();
    for (const id of this.#list.ids) if (this.#store.cases.get(id)?.isOpen) this.picked.add(id);
    this.draw();
  }

  clear() {
    this.picked.clear();
    this.draw();
  }

  /** Which are selected and still there. */
  get selected() {
    return [...this.picked].map((id) => this.#store.cases.get(id)).filter((one) => one?.isOpen);
  }
}
