// Who has a case: it is taken, given to somebody, released.

import { owner } from "./decide.js";
import { field, form, note, open } from "./dialog.js";
import { el, said } from "./dom.js";
import { me, send, Unknown } from "./session.js";

/** The name under which the person at the page takes cases, as far as it is known. */
export const own = () => me.name ?? localStorage.getItem("owner") ?? "";

async function set(cases, assignee, by, store) {
  for (const one of cases) {
    await send("PUT", `/api/v1/alerts/${encodeURIComponent(one.id)}/assignee`, { assignee, revision: one.revision, owner: by });
    store.assign(one.id, assignee ?? "");
  }
}

const many = (cases) => (cases.length === 1 ? "" : ` ${cases.length} cases`);

async function told(text, work) {
  try {
    await work();
    note(text);
  } catch (error) {
    if (!(error instanceof Unknown)) note(error.message, { bad: true });
  }
}

/** Takes cases; what somebody else has is asked about first. */
export function take(cases, store, { done = () => {} } = {}) {
  const name = own();
  const theirs = cases.filter((one) => (store.assigned.get(one.id) ?? name) !== name);
  if (!name || theirs.length) return assign(cases, store, { done, name });
  const free = cases.filter((one) => store.assigned.get(one.id) !== name);
  if (!free.length) return note("You have it already.");
  return told(`Taken${many(free)}.`, () => set(free, name, me.name ? undefined : name, store).then(done));
}

/** Gives a case back to whoever takes it. */
export function release(one, store) {
  if (!own()) return assign([one], store, { name: "" });
  return told("Released.", () => set([one], null, me.name ? undefined : own(), store));
}

/** Asks to whom cases are given, and gives them. */
export function assign(cases, store, { done = () => {}, name = "" } = {}) {
  const known = [...new Set([own(), ...store.assigned.values()])].filter(Boolean).sort();
  const input = el("input", { type: "text", maxlength: "256", autocomplete: "off", spellcheck: "false", list: "assignees", "data-first": true, value: name });
  const holders = [...new Set(cases.map((one) => store.assigned.get(one.id)).filter(Boolean))];
  const by = owner();
  const made = form(
    [
      el("p", { class: "muted" }, cases.length > 1 ? `${cases.length} open cases` : said(cases[0].who.name || cases[0].who.id || "unknown"), holders.length > 0 && [", taken by ", said(holders.join(", "))], "."),
      field("Assignee", input, "A name as the server knows it. Empty: nobody has it."),
      el("datalist", { id: "assignees" }, known.map((one) => el("option", { value: one }))),
      by.node,
    ],
    {
      submit: "Assign",
      cancel: () => box.close(),
      send: async () => {
        const assignee = input.value.trim() || null;
        await set(cases, assignee, by.value(), store);
        box.close();
        done();
        note(assignee ? [`Given to `, said(assignee), "."] : "Released.");
      },
    },
  );
  const box = open(cases.length > 1 ? `Assign ${cases.length} cases` : "Assign this case", made);
  input.select();
}
