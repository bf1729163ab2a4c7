// Search over everything: cases, people, agents, tickets, numbers, devices, addresses, calls.

import { open } from "./dialog.js";
import { el, put, said } from "./dom.js";
import { among, entity } from "./route.js";
import { kindName } from "./row.js";
import { load, Unknown } from "./session.js";

const TYPING_MS = 150;

const href = (one) => (one.kind === "alert" ? among(String(one.id), new URLSearchParams()) : entity(String(one.kind), String(one.id)));

/** Opens the search; `go` is told where to go. */
export function search(go) {
  const input = el("input", { class: "search-input", type: "search", placeholder: "Person, agent, ticket, number, device, address, case", "aria-label": "Search everything", maxlength: "120", autocomplete: "off", spellcheck: "false", role: "combobox", "aria-expanded": "true", "aria-controls": "results", "data-first": true });
  const results = el("ul", { class: "results", id: "results", role: "listbox", "aria-label": "Results" });
  const told = el("p", { class: "results-none", role: "status" }, "Type what you know: a part of a name, a number, an id.");
  let found = [];
  let at = 0;
  let turn = 0;
  let timer = 0;
  const point = () => {
    [...results.children].forEach((row, n) => row.setAttribute("aria-selected", String(n === at)));
    results.children[at]?.scrollIntoView({ block: "nearest" });
    if (found.length) input.setAttribute("aria-activedescendant", `result-${at}`);
    else input.removeAttribute("aria-activedescendant");
  };
  const take = (n) => {
    const target = found[n] && href(found[n]);
    if (!target) return;
    close();
    go(target);
  };
  const tell = (text) => {
    put(told, text);
    told.hidden = !text;
  };
  const look = async () => {
    const text = input.value.trim();
    const mine = ++turn;
    if (!text) {
      found = [];
      put(results);
      return tell("Type what you know: a part of a name, a number, an id.");
    }
    try {
      const answer = await load(`/api/v1/search?q=${encodeURIComponent(text)}`);
      if (mine !== turn) return;
      found = (Array.isArray(answer.results) ? answer.results : []).filter((one) => one && href(one));
      at = 0;
      put(results, found.map((one, n) => el("li", { id: `result-${n}`, role: "option", onclick: () => take(n) }, el("span", { class: "kind" }, one.kind === "alert" ? "case" : kindName(String(one.kind))), said(one.name || one.id, { class: "name" }), el("span", { class: "muted" }, said(one.detail ?? "")))));
      point();
      tell(found.length ? "" : "Nothing of what is held has that in it.");
    } catch (error) {
      if (mine === turn && !(error instanceof Unknown)) tell(error.message);
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, TYPING_MS);
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      at = (at + step + found.length) % found.length;
      point();
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(at);
    } else if (event.key === "Escape") {
      // Some browsers would empty the field first.
      event.preventDefault();
      close();
    }
  });
  const { dialog, close } = open("Search", [input, results, told]);
  dialog.classList.add("search");
}
