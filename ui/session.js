// Who is at the page: a token that is kept for this tab alone and goes with every question.

import { el } from "./dom.js";

const KEY = "token";

/** The server wants to know who asks. */
export class Unknown extends Error {}

/** As fetch, with the token. */
export async function ask(url, { headers = {}, ...options } = {}) {
  const token = sessionStorage.getItem(KEY);
  const all = token ? { ...headers, authorization: `Bearer ${token}` } : headers;
  const response = await fetch(url, { ...options, headers: all, cache: "no-store" });
  if (response.status === 401) throw new Unknown(token ? "This token is not known here." : "");
  return response;
}

export const hasToken = () => sessionStorage.getItem(KEY) !== null;

export function forget() {
  sessionStorage.removeItem(KEY);
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
