// The bar on top and the two halves below it.

import { el, put, svg, visible } from "./dom.js";
import { hasToken, may, me } from "./session.js";
import { isUtc } from "./time.js";

const LINKS = [
  ["cases", "Cases", "#/", "viewer"],
  ["silences", "Silences", "#/silences", "viewer"],
  ["patterns", "Patterns", "#/patterns", "viewer"],
  ["sources", "Sources", "#/sources", "viewer"],
  ["pipeline", "Pipeline", "#/pipeline", "viewer"],
  ["audit", "Audit log", "#/audit", "admin"],
  ["settings", "Settings", "#/settings", "admin"],
];

const state = el("span", { class: "state", role: "status" });
const links = el("nav", { class: "links-top", "aria-label": "Views" });
const who = el("span", { class: "me" });
const detail = el("main", { class: "detail", tabindex: "-1" });
const split = el("div", { class: "split" }, detail);
const zone = el("button", { class: "tool", title: "UTC or local time (u)" });
const leaving = el("button", { class: "tool", title: "Forget the token of this tab", hidden: true }, "Sign out");
const theme = el("button", { class: "tool", title: "Dark or light (l)", "aria-label": "Dark or light" }, "◐");
const keys = el("button", { class: "tool", title: "Keys (?)", "aria-label": "Keys" }, "?");
const find = el("button", { class: "find", title: "Search everything (Ctrl K)" }, el("span", {}, "Search"), el("kbd", {}, "Ctrl K"));

export const parts = { detail, split };

function brand() {
  return el("a", { class: "brand", href: "#/" }, svg("svg", { viewBox: "0 0 32 32", class: "logo", "aria-hidden": "true" }, svg("path", { d: "M16 2 28 7v9c0 7-5 12-12 14C9 28 4 23 4 16V7z" }), svg("path", { d: "M10 17v-2a6 6 0 0 1 12 0v2m-12-1h2.5v5H11a1 1 0 0 1-1-1zm12 0h-2.5v5H21a1 1 0 0 0 1-1z", class: "logo-line" })), "Deskwarden");
}

/** What the tab is called: what is new, and the case that is shown. */
export function entitle(fresh, one) {
  const parts = [fresh > 0 && `(${fresh})`, one && `${one.score} ${visible(one.who.name || one.who.id)} ·`, "Deskwarden"];
  document.title = parts.filter(Boolean).join(" ");
}

export const frame = {
  open({ onzone, ontheme, onleave, onhelp, onsearch }) {
    zone.addEventListener("click", onzone);
    theme.addEventListener("click", ontheme);
    leaving.addEventListener("click", onleave);
    keys.addEventListener("click", onhelp);
    find.addEventListener("click", onsearch);
    document.querySelector(".boot")?.remove();
    document.body.append(el("header", { class: "bar-top" }, brand(), links, el("span", { class: "grow" }), state, find, who, zone, theme, keys, leaving), split);
  },
  zone: () => put(zone, isUtc() ? "UTC" : "Local"),
};

/** The views, and which of them is shown. */
export function nav(view) {
  const at = view === "case" ? "cases" : view;
  put(links, LINKS.filter(([, , , role]) => role === "viewer" || may(role)).map(([name, text, href]) => el("a", { href, "aria-current": name === at ? "page" : null }, text)));
}

const WORDS = { loading: "loading", live: "live", reconnecting: "connection lost, trying again", locked: "token needed", refused: "filters refused" };

export function showState(name) {
  state.className = `state ${name}`;
  put(state, el("i", { class: "dot" }), WORDS[name]);
}

/** Who is there, where the server knows it. */
export function showWho() {
  leaving.hidden = state.classList.contains("locked") || !hasToken();
  who.hidden = !me.name;
  put(who, me.name ?? "", me.name && el("small", {}, ` ${me.role}`));
}

let due = 0;

/** Runs with the next frame, once however often it is asked. */
export function withFrame(run) {
  due ||= requestAnimationFrame(() => {
    due = 0;
    run();
  });
}
