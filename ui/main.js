// The page: a list of cases on the left, one case on the right, kept fresh by the live feed.

import { show } from "./case.js";
import { el, put, svg } from "./dom.js";
import { draw, redraw } from "./list.js";
import { forget, hasToken, signIn } from "./session.js";
import { Store } from "./store.js";
import { isUtc, toggleZone } from "./time.js";
import { SEVERITIES } from "./words.js";

const store = new Store();
let chosen = "";
let leave = () => {};
let showing = 0;

const state = el("span", { class: "state", role: "status" });
const count = el("span", { class: "count" });
const pill = el("button", { class: "pill", hidden: true, onclick: () => store.arrange() });
const cases = el("ul", { class: "cases", role: "listbox", "aria-label": "Cases", tabindex: "0" });
const detail = el("main", { class: "detail", tabindex: "-1" });
const search = el("input", { type: "search", placeholder: "Id, person or ticket", "aria-label": "Search", maxlength: "120" });
const zone = el("button", { class: "tool", title: "UTC or local time (u)", onclick: switchZone });
const leaving = el("button", { class: "tool", title: "Forget the token of this tab", hidden: true, onclick: signOut }, "Sign out");
const theme = el("button", { class: "tool", title: "Dark or light (t)", "aria-label": "Dark or light", onclick: switchTheme }, "◐");
const severities = ["all", "medium", "high", "critical"].map((name) => el("button", { class: "seg", "data-min": name, onclick: () => choose("min_severity", name === "all" ? "" : name) }, name === "all" || name === "critical" ? name : `${name}+`));
const statuses = ["open", "closed"].map((name) => el("button", { class: "seg", "data-status": name, onclick: () => choose("status", name) }, name));

function brand() {
  return el("a", { class: "brand", href: "#/" }, svg("svg", { viewBox: "0 0 32 32", class: "logo", "aria-hidden": "true" }, svg("path", { d: "M16 2 28 7v9c0 7-5 12-12 14C9 28 4 23 4 16V7z" }), svg("path", { d: "M10 17v-2a6 6 0 0 1 12 0v2m-12-1h2.5v5H11a1 1 0 0 1-1-1zm12 0h-2.5v5H21a1 1 0 0 0 1-1z", class: "logo-line" })), "Deskwarden");
}

function frame() {
  document.body.append(
    el("header", { class: "bar-top" }, brand(), state, el("span", { class: "grow" }), el("div", { class: "segs", role: "group", "aria-label": "Status" }, statuses), el("div", { class: "segs", role: "group", "aria-label": "Severity from" }, severities), search, zone, theme, leaving),
    el("div", { class: "split" }, el("nav", { class: "side" }, el("div", { class: "side-head" }, count, pill), cases), detail),
  );
}

// --- What is shown -------------------------------------------------------------------------------

function drawState() {
  const words = { loading: "loading", live: "live", reconnecting: "connection lost, trying again", locked: "token needed" };
  leaving.hidden = store.state === "locked" || !hasToken();
  state.className = `state ${store.state}`;
  put(state, el("i", { class: "dot" }), words[store.state]);
}

function drawCount() {
  const shown = store.order.length;
  const what = store.filter.get("status") ?? "";
  put(count, ["loading", "locked"].includes(store.state) && !shown ? "" : `${shown}${store.total > shown + store.fresh.size ? ` of ${store.total}` : ""} ${what}`);
  pill.hidden = store.fresh.size === 0;
  put(pill, `${store.fresh.size} new ↑`);
  document.title = `${store.fresh.size ? `(${store.fresh.size}) ` : ""}Deskwarden`;
}

function drawTools() {
  put(zone, isUtc() ? "UTC" : "Local");
  for (const seg of severities) seg.setAttribute("aria-pressed", String(seg.dataset.min === (store.filter.get("min_severity") ?? "all")));
  for (const seg of statuses) seg.setAttribute("aria-pressed", String(seg.dataset.status === store.filter.get("status")));
}

function drawAll() {
  draw(cases, store, chosen);
  drawCount();
  drawState();
  drawTools();
}

function welcome(title, text) {
  leave();
  leave = () => {};
  const keys = [["j", "next"], ["k", "previous"], ["enter", "open"], ["n", "show new ones"], ["/", "search"], ["u", "UTC or local"], ["t", "dark or light"]];
  put(detail, el("div", { class: "welcome" }, el("h1", {}, title), el("p", {}, text), el("dl", { class: "keys" }, keys.map(([key, what]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, what))))));
}

async function open(id, keepPlace) {
  const turn = ++showing;
  const top = detail.scrollTop;
  let one = null;
  let revisions = [];
  try {
    [one, revisions] = await Promise.all([store.find(id), store.history(id)]);
  } catch {
    if (turn === showing && store.state !== "locked") welcome("This case cannot be loaded", "The connection is lost at the moment; it is tried again as soon as the feed is back.");
    return;
  }
  if (turn !== showing) return;
  if (!one) return welcome("No such case", "It is not among the newest cases any more, or its address is incomplete.");
  leave();
  const body = el("article", { class: `case-page s-${SEVERITIES[one.severity]}` });
  put(detail, body);
  leave = show(body, one, revisions);
  detail.scrollTop = keepPlace ? top : 0;
  store.seen(id);
}

function route() {
  const before = chosen;
  const found = /^#\/alerts\/([^/?]+)$/.exec(location.hash);
  try {
    chosen = found ? decodeURIComponent(found[1]) : "";
  } catch {
    chosen = "";
  }
  for (const id of [before, chosen]) if (id) redraw(cases, store, chosen, id);
  cases.querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
  if (store.state === "locked") welcome("Not shown without a token", "Whoever runs Deskwarden makes one: deskwarden token new.");
  else if (chosen) open(chosen, false);
  else welcome(store.order.length ? "Choose a case" : "Help-desk takeovers, as they happen", "The newest stand on top. Each says who, what happened in which order, which control was missing and why it scores what it scores.");
}

// --- What is done --------------------------------------------------------------------------------

function choose(name, value) {
  const filter = new URLSearchParams(store.filter);
  if (value) filter.set(name, value);
  else filter.delete(name);
  store.follow(filter);
  drawTools();
}

function start() {
  store.follow(store.filter);
  route();
}

function signOut() {
  forget();
  store.lock();
}

function switchZone() {
  toggleZone();
  drawAll();
  if (chosen) open(chosen, true);
}

function switchTheme() {
  const isLight = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "light" : matchMedia("(prefers-color-scheme: light)").matches;
  document.documentElement.dataset.theme = isLight ? "dark" : "light";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
}

function move(step) {
  const at = store.order.indexOf(chosen);
  const next = at < 0 ? (step > 0 ? 0 : store.order.length - 1) : Math.min(store.order.length - 1, Math.max(0, at + step));
  const id = store.order[next];
  if (id) location.hash = `#/alerts/${encodeURIComponent(id)}`;
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  n: () => store.arrange(),
  u: switchZone,
  t: switchTheme,
  "/": () => search.focus(),
  Enter: () => (chosen ? detail.focus() : move(1)),
  Escape: () => (location.hash = "#/"),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target === search) {
    if (event.key === "Escape") search.blur();
    return;
  }
  const isList = event.target === document.body || cases.contains(event.target);
  // Arrows scroll the case, and Enter presses the button that has the focus.
  if (!isList && (event.key.startsWith("Arrow") || event.key === "Enter")) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

let typing = 0;
search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => choose("text", search.value.trim()), 200);
});
cases.addEventListener("click", (event) => {
  const id = event.target.closest("[data-id]")?.dataset.id;
  if (id) location.hash = `#/alerts/${encodeURIComponent(id)}`;
});
addEventListener("hashchange", route);
addEventListener("keydown", onKey);
store.addEventListener("change", ({ detail: what }) => {
  if (what === "list") {
    drawAll();
    if (!chosen || store.state === "locked") route();
  } else if (what === "state") {
    drawState();
    if (!store.order.length) draw(cases, store, chosen);
    if (store.state === "live" && chosen && !detail.querySelector(".case-page")) open(chosen, false);
  } else if (what !== "fresh") {
    redraw(cases, store, chosen, what);
    if (what === chosen && store.unseen.has(what)) open(chosen, true);
  }
  drawCount();
});

store.addEventListener("locked", ({ detail: why }) => {
  showing += 1;
  signIn(why, start);
});

document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "";
frame();
drawAll();
start();
