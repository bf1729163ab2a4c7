// Who is at the page: a token that is kept for this tab alone and goes with every question, and what
// its bearer may do.

import { el } from "./dom.js";

const KEY = "token";
/** So often a question is asked of a server that says: too much at once. */
const TRIES = 5;
const WAIT_MAX_MS = 5_000;
const ROLES = ["viewer", "analyst", "admin"];

/** The server wants to know who asks. */
export class Unknown extends Error {}

/** Name and role of who is there; a role that is not known may nothing but read. */
export const me = { name: null, role: "" };

/** As fetch, with the token; what the server puts off is asked again when it says so. */
export async function ask(url, { headers = {}, ...options } = {}) {
  const token = sessionStorage.getItem(KEY);
  const all = token ? { ...headers, authorization: `Bearer ${token}` } : headers;
  let response;
  for (let tries = 1; ; tries++) {
    response = await fetch(url, { ...options, headers: all, cache: "no-store" });
    if (response.status !== 429 || tries === TRIES) break;
    const seconds = Number(response.headers.get("retry-after")) || 1;
    await new Promise((wake) => setTimeout(wake, Math.min(seconds * 1_000, WAIT_MAX_MS)));
  }
  if (response.status === 401) throw new Unknown(token ? "This token is not known here." : "");
  return response;
}

/** The faults that a problem document names. */
async function problem(response) {
  const body = await response.json().catch(() => ({}));
  const errors = Array.isArray(body?.errors) ? body.errors.map(String) : [];
  const said = errors.length ? errors : [String(body?.detail ?? body?.title ?? "")];
  const faults = said.filter(Boolean).slice(0, 8);
  return faults.length ? faults : [`the server answers ${response.status}`];
}

/** What a failed question says, all faults of it: `status` 0 where there was no answer. */
export class Refused extends Error {
  constructor(faults, status) {
    super(faults.join("; "));
    this.faults = faults;
    this.status = status;
  }
}

async function answered(url, options) {
  let response;
  try {
    response = await ask(url, options);
  } catch (error) {
    if (error instanceof Unknown) throw error;
    throw new Refused(["no connection; try again"], 0);
  }
  if (!response.ok) throw new Refused(await problem(response), response.status);
  return response;
}

/** Reads JSON. */
export async function load(url, options) {
  return (await answered(url, options)).json();
}

/** Sends something that is to happen; the answer, if it has one. */
export async function send(method, url, body) {
  const options = { method, headers: body ? { "content-type": "application/json" } : {}, body: body && JSON.stringify(body) };
  const response = await answered(url, options);
  return response.status === 204 ? null : response.json();
}

/** Asks who is there. Throws where nobody answers. */
export async function learn() {
  const found = await load("/api/v1/me").catch((error) => {
    // A server that does not say: what can be read is shown, nothing else.
    if (error instanceof Refused && error.status === 404) return {};
    throw error;
  });
  me.name = typeof found.name === "string" ? found.name : null;
  me.role = ROLES.includes(found.role) ? found.role : "viewer";
}

/** Whether who is there has at least this role. */
export const may = (role) => ROLES.indexOf(me.role) >= ROLES.indexOf(role);

export const hasToken = () => sessionStorage.getItem(KEY) !== null;

export function forget() {
  sessionStorage.removeItem(KEY);
  me.name = null;
  me.role = "";
}

let open = null;

/** Asks for a token, once at a time; `then` when there is one. */
export function signIn(why, then) {
  open?.remove();
  const input = el("input", { type: "password", id: "token", autocomplete: "off", spellcheck: "false", required: true, maxlength: "8192", "aria-describedby": "token-why" });
  const form = el("form", { class: "sign-in" }, el("label", { for: "token" }, "Token"), input, el("p", { id: "token-why", class: "muted", role: "alert" }, why || "It is kept in this tab only, until that is closed."), el("div", { class: "buttons" }, el("button", { class: "primary", type: "submit" }, "Show the cases")));
  const dialog = el("dialog", { "aria-labelledby": "token-title" }, el("h2", { id: "token-title" }, "Who are you?"), form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const token = input.value.trim();
    if (!token) return;
    sessionStorage.setItem(KEY, token);
    dialog.close();
    dialog.remove();
    open = null;
    then();
  });
  // There is nothing behind it to go back to.
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  open = dialog;
  document.body.append(dialog);
  dialog.showModal();
  input.focus();
}
