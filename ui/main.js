// The page: what the address asks for, beside the list of cases that the live feed keeps fresh.

import { assign, release, take } from "./assign.js";
import { auditView } from "./audit.js";
import { caseView, pickedEvent } from "./case.js";
import { decide } from "./decide.js";
import { note } from "./dialog.js";
import { el, put } from "./dom.js";
import { exempt } from "./exempt.js";
import { copyMarkdown, download } from "./export.js";
import { entitle, frame, nav, parts, showState, showWho, withFrame } from "./frame.js";
import { keep } from "./keep.js";
import { first as firstKeys, help, listen } from "./keys.js";
import { patternsView } from "./patterns.js";
import { Queue } from "./queue.js";
import { showRecord } from "./record.js";
import { replay } from "./replay.js";
import { among, asked, GROUPS, listed, pinned, pinOf, read } from "./route.js";
import { search } from "./search.js";
import { forget, learn, may, me, Refused, signIn, Unknown } from "./session.js";
import { silence } from "./silence.js";
import { silencesView } from "./silences.js";
import { Store } from "./store.js";
import { agentView, identityView, pivotView } from "./subject.js";
import { pipelineView, settingsView, sourcesView } from "./system.js";
import { toggleZone } from "./time.js";

/** An open case that changes is drawn anew so often at most. */
const REDRAW_MS = 400;
/** Who has which case is asked so often. */
const ASSIGNED_MS = 15_000;

const store = new Store();
let place = read(location.hash);
/** How the list is filtered: other views keep it. */
let query = listed(place.query);
/** The case that is shown, whole. */
let shown = null;
let leave = () => {};
let turn = 0;
let due = 0;
/** Who had it when it was drawn. */
let drawnFor = "";
/** The address that is shown. */
let routed = "";

const chosen = () => (place.view === "case" ? place.id : "");
const queue = new Queue(store, { query: () => query, chosen, href: (id) => among(id, query), choose, decide: decideNow, take: takeNow });
const { detail } = parts;

const VIEWS = { identity: identityView, agent: agentView, pivot: pivotView, silences: silencesView, patterns: patternsView, sources: sourcesView, pipeline: pipelineView, audit: auditView, settings: settingsView };

// --- What is shown -------------------------------------------------------------------------------

function drawState() {
  showState(store.state);
  showWho();
}

function clear() {
  leave();
  leave = () => {};
  shown = null;
  entitle(store.fresh.size, null);
}

function welcome(title, text, more) {
  clear();
  put(detail, el("div", { class: "welcome" }, el("h1", {}, title), el("p", {}, text), more));
}

function waiting() {
  clear();
  put(detail, el("div", { class: "case-page waiting", "aria-hidden": "true" }, ["g-head", "g-half", "g-lanes", "g-half"].map((name) => el("div", { class: `g ${name}` }))));
}

/** What stands where something could not be had. */
function lost() {
  welcome("This cannot be loaded", "The server did not answer. It is asked again when the connection is back.", el("button", { class: "primary", onclick: show }, "Try again"));
}

async function openCase(keepPlace) {
  const { id } = place;
  const mine = ++turn;
  const slow = shown?.id === id ? 0 : setTimeout(() => mine === turn && waiting(), 150);
  let revisions;
  try {
    revisions = await store.history(id);
  } catch (error) {
    // What is shown stays: it is as good as it was.
    const isShown = keepPlace && shown?.id === id;
    if (mine === turn && !isShown && store.state !== "locked" && !(error instanceof Unknown)) lost();
    return;
  } finally {
    clearTimeout(slow);
  }
  if (mine !== turn) return;
  const one = revisions.at(-1);
  if (!one) return welcome("No such case", "It is not among the newest cases any more, or its address is incomplete.");
  const isAgain = keepPlace && shown?.id === id;
  const draw = () => {
    clear();
    shown = one;
    drawnFor = store.assigned.get(id) ?? "";
    entitle(store.fresh.size, one);
    leave = caseView(detail, one, revisions, { store, query, act: OF_CASE, isAgain, pins: () => pinned(place.query) });
  };
  if (isAgain) keep(detail, draw);
  else {
    draw();
    detail.scrollTop = 0;
  }
  store.seen(id);
}

async function openView() {
  const mine = ++turn;
  clear();
  const node = el("div", { class: "view" }, ["g-line", "g-half", "g-lanes"].map((name) => el("div", { class: `g ${name} waiting`, "aria-hidden": "true" })));
  put(detail, node);
  detail.scrollTop = 0;
  try {
    const stop = await VIEWS[place.view](node, place, { store, go });
    if (mine === turn) leave = stop ?? leave;
    else stop?.();
  } catch (error) {
    if (mine !== turn || error instanceof Unknown) return;
    if (!(error instanceof Refused)) reportError(error);
    if (error.status === 0) return lost();
    const titles = { 403: "Not for this role", 404: "Nothing is known of this", 503: "Not available here" };
    welcome(titles[error.status] ?? "This cannot be shown", error.message);
  }
}

function route() {
  routed = location.hash;
  const before = { ...place, query: query.toString(), pins: place.query.get("pins") };
  place = read(location.hash);
  if (place.view === "cases" || place.view === "case") query = listed(place.query);
  document.body.classList.toggle("alone", !["cases", "case"].includes(place.view));
  nav(place.view);
  if (place.view === "case" && before.id === place.id && before.pins !== place.query.get("pins")) dispatchEvent(new Event("pins"));
  if (before.query !== query.toString()) {
    queue.drawTools();
    if (asked(query).toString() !== store.filter.toString()) store.follow(asked(query));
    else queue.draw();
  }
  const old = before.view === "case" ? before.id : "";
  for (const id of [old, chosen()]) if (id) queue.redraw(id);
  if (chosen()) queue.show(chosen());
  show();
}

function show() {
  if (store.state === "locked") {
    turn += 1;
    return welcome("Not shown without a token", "Whoever runs Deskwarden makes one: deskwarden token new.");
  }
  if (place.view === "case") {
    if (shown?.id !== place.id) openCase(false);
  } else if (place.view === "cases") {
    turn += 1;
    welcome(store.order.length ? "Choose a case" : "Help-desk takeovers, as they happen", "The newest stand on top. Each says who, what happened in which order, which control was missing and why it scores what it scores.", firstKeys());
  } else openView();
}

/** Draws the open case anew, soon, however often it changes. */
function soon() {
  due ||= setTimeout(() => {
    due = 0;
    if (place.view === "case") openCase(true);
  }, REDRAW_MS);
}

// --- What is done --------------------------------------------------------------------------------

function go(hash, isStep = false) {
  if (hash === location.hash) return;
  if (isStep) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
  route();
}

function choose(name, value) {
  const next = new URLSearchParams(query);
  if (value) next.set(name, value);
  else next.delete(name);
  queue.picked.clear();
  const isList = place.view === "cases" || place.view === "case";
  go(among(isList ? chosen() : "", listed(next), pinned(place.query)), true);
}

async function start() {
  store.follow(asked(query));
  who();
  route();
}

async function who() {
  try {
    await learn();
  } catch {
    return;
  }
  drawState();
  nav(place.view);
  queue.draw();
  // What was drawn before offers nothing yet.
  if (shown) openCase(true);
  else if (place.view !== "cases" && place.view !== "case") show();
}

function signOut() {
  forget();
  store.lock();
}

function switchZone() {
  toggleZone();
  drawTools();
  queue.draw();
  if (place.view === "case") openCase(true);
  else show();
}

function drawTools() {
  frame.zone();
}

function switchTheme() {
  const isLight = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "light" : matchMedia("(prefers-color-scheme: light)").matches;
  document.documentElement.dataset.theme = isLight ? "dark" : "light";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
}

function move(step) {
  const id = queue.step(step, chosen());
  if (id) go(among(id, query), place.view === "case");
}

const done = () => queue.picked.size && queue.clear();

/** Does something with what is selected, else with the case that is open. */
function withOpen(act) {
  if (!may("analyst")) return;
  const selected = queue.selected;
  const cases = selected.length ? selected : shown?.isOpen ? [shown] : [];
  if (!cases.length) return note(shown ? "This case is closed." : "Open a case first, or select some with x.");
  act(cases, store, { done });
}

function decideNow() {
  withOpen(decide);
}

function takeNow() {
  withOpen(take);
}

function silenceNow() {
  if (!may("analyst")) return;
  if (place.view === "silences") silence(null);
  else if (shown) silence(shown);
  else note("Open a case first.");
}

function exemptNow() {
  if (!may("analyst")) return;
  if (place.view === "silences") exempt(null);
  else if (shown) exempt(shown);
  else note("Open a case first.");
}

function group() {
  const order = ["", ...GROUPS];
  choose("group", order[(order.indexOf(query.get("group") ?? "") + 1) % order.length]);
}

/** Pins an event of the case that is open, or takes its pin off. */
function pin(event) {
  const pins = pinned(place.query);
  const name = pinOf(event.id);
  if (!pins.delete(name)) pins.add(name);
  go(among(place.id, query, pins), true);
}

const withEvent = (act) => () => {
  const event = shown && pickedEvent(shown);
  if (event) act(event);
  else note("Pick an event of the timeline first.");
};

const withCase = (act) => () => (shown ? act(shown) : note("Open a case first."));

const ACTS = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  n: () => store.arrange(),
  g: group,
  x: () => chosen() && queue.toggle(chosen()),
  X: () => queue.toggleAll(),
  d: decideNow,
  s: silenceNow,
  E: exemptNow,
  m: withCase(copyMarkdown),
  e: withCase((one) => download(one.id)),
  p: withEvent(pin),
  r: withEvent((event) => may("analyst") && showRecord(event)),
  u: switchZone,
  t: takeNow,
  l: switchTheme,
  "?": help,
  "/": () => queue.text.focus(),
  "Ctrl K": () => store.state !== "locked" && search(go),
  Enter: () => (shown ? detail.focus() : move(1)),
  Escape: () => (queue.picked.size ? queue.clear() : go(among("", query))),
};

/** What the buttons of a case do. */
const OF_CASE = { ...ACTS, take: () => take([shown], store), assign: () => assign([shown], store), release: () => release(shown, store), pin, record: showRecord, replay: () => replay(shown) };

parts.split.prepend(queue.side);
document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "";
frame.open({ onzone: switchZone, ontheme: switchTheme, onleave: signOut, onhelp: help, onsearch: ACTS["Ctrl K"] });
listen(ACTS, (target) => target === document.body || queue.cases.contains(target));
// Browsers tell of one change of the address by both.
for (const name of ["hashchange", "popstate"]) addEventListener(name, () => location.hash !== routed && route());
addEventListener("storage", (event) => event.key === "theme" && (document.documentElement.dataset.theme = event.newValue ?? ""));

store.addEventListener("change", ({ detail: what }) => {
  if (what === "list") {
    queue.draw();
    if (place.view === "cases" || store.state === "locked") show();
  } else if (what === "more") queue.grown();
  else if (what === "state") {
    drawState();
    if (!store.order.length) queue.draw();
    if (store.state === "live") {
      if (!me.role) who();
      if (place.view !== "cases" && !shown && detail.querySelector(".welcome")) show();
    }
  } else if (what === "fresh") {
    // A pager may be quicker than this server: the case that was not there yet is shown once it is.
    if (chosen() && !shown && store.cases.has(chosen())) openCase(false);
  } else {
    queue.redraw(what);
    if (what === chosen() && (store.unseen.has(what) || store.decided.has(what) || drawnFor !== (store.assigned.get(what) ?? ""))) soon();
  }
  withFrame(() => {
    queue.drawCount();
    entitle(store.fresh.size, shown);
  });
});

store.addEventListener("locked", ({ detail: why }) => {
  turn += 1;
  signIn(why, start);
});

const asksWho = () => !document.hidden && store.state === "live" && store.assignments().catch(() => {});
setInterval(asksWho, ASSIGNED_MS);
document.addEventListener("visibilitychange", asksWho);

drawTools();
queue.draw();
drawState();
start();
