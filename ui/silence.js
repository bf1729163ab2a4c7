// A silence: what is not delivered, until when, and why.

import { choice, field, form, note, open } from "./dialog.js";
import { owner, reason } from "./decide.js";
import { el, put, said } from "./dom.js";
import { kindName } from "./row.js";
import { send } from "./session.js";
import { full } from "./time.js";
import { known, plain, SEVERITIES, TIERS } from "./words.js";

const HOUR_MS = 3_600_000;
const SPANS = [
  ["1", "1 hour"],
  ["8", "8 hours"],
  ["24", "1 day"],
  ["168", "7 days"],
  ["720", "30 days"],
  ["2160", "90 days"],
];
const KINDS = ["identity", "caller", "ticket", "device", "address", "contact"];

function checks(legend, name, options) {
  const boxes = options.map(([value, text, checked]) => [value, el("input", { type: "checkbox", value, checked })]);
  const set = el("fieldset", { class: `checks ${name}` }, el("legend", {}, legend), options.map(([, text], n) => el("label", { class: "check" }, boxes[n][1], el("span", {}, said(text)))));
  return { set, value: () => boxes.filter(([, box]) => box.checked).map(([value]) => value) };
}

/** The scope, from a case: this one and its patterns, so that another pattern is heard. */
function ofCase(one) {
  const patterns = [...new Map((one.findings ?? []).filter((f) => f.state === "active").map((f) => [f.pattern, f.name]))];
  const who = checks("Of", "scope", [[`${one.who.kind}|${one.who.id}`, `${one.who.name || one.who.id} (${kindName(one.who.kind)})`, true]]);
  const what = checks("Only these patterns", "scope", patterns.map(([id, name]) => [id, `${id} ${name}`, true]));
  return { nodes: [who.set, patterns.length > 0 && what.set], value: () => ({ entities: who.value(), patterns: what.value() }) };
}

/** The scope, from nothing. */
function free() {
  const kind = el("select", { "aria-label": "Kind" }, KINDS.map((name) => el("option", { value: name }, kindName(name))));
  const id = el("input", { type: "text", maxlength: "200", placeholder: "id, as alerts show it", "data-first": true });
  const patterns = el("input", { type: "text", maxlength: "400", placeholder: "HDT-01, HDT-03" });
  const tiers = checks("Tiers", "scope row", TIERS.map((name) => [name, plain(name), false]));
  const severities = checks("Severities", "scope row", SEVERITIES.slice(1).map((name) => [name, name, false]));
  const value = () => ({
    entities: id.value.trim() ? [`${kind.value}|${id.value.trim()}`] : [],
    patterns: patterns.value.toUpperCase().split(/[\s,]+/).filter(Boolean),
    tiers: tiers.value(),
    severities: severities.value(),
  });
  return { nodes: [el("div", { class: "pair" }, field("Of", kind), field("Id", id)), field("Patterns", patterns, "All active patterns of a case must be among them."), tiers.set, severities.set], value };
}

/** What a scope covers, in a sentence; also of records that came from elsewhere. */
export function words(scope, names = {}) {
  const of = (name) => (Array.isArray(scope?.[name]) ? scope[name].map(String) : []);
  const parts = [];
  const entities = of("entities").map((each) => each.split("|"));
  if (entities.length) parts.push(`of ${entities.slice(0, 3).map(([kind, ...id]) => `${kindName(kind)} ${known(names, id.join("|")) ?? id.join("|")}`).join(", ")}${entities.length > 3 ? ` and ${entities.length - 3} more` : ""}`);
  if (of("patterns").length) parts.push(`with no other pattern than ${of("patterns").join(", ")}`);
  if (of("tiers").length) parts.push(`of tier ${of("tiers").map(plain).join(", ")}`);
  if (of("severities").length) parts.push(`of severity ${of("severities").join(", ")}`);
  return parts.length ? `Cases ${parts.join(", ")}` : "";
}

/** Asks for a silence, of a case or of anything, and sends it; `done` when it holds. */
export function silence(one, done = () => {}) {
  const scope = one ? ofCase(one) : free();
  const until = choice("For", "until", SPANS, "8");
  const why = reason("Why nobody needs to be told");
  const by = owner();
  const told = el("p", { class: "told" });
  const scoped = () => Object.fromEntries(Object.entries(scope.value()).filter(([, list]) => list.length));
  const ends = () => Date.now() + Number(until.value()) * HOUR_MS;
  const tell = () => put(told, words(scoped()) ? [`${words(scoped(), one ? { [one.who.id]: one.who.name } : {})} are not delivered until `, el("b", {}, full(ends())), ". They stay to be seen here."] : "Choose what is silenced: a silence of everything is not taken.");
  const made = form([scope.nodes, until.set, field("Why", why), by.node, told], {
    submit: "Silence",
    cancel: () => window.close(),
    send: async () => {
      if (!words(scoped())) throw new Error("choose what is silenced");
      if (!why.value.trim()) throw new Error("a reason is needed");
      await send("POST", "/api/v1/silences", { scope: scoped(), reason: why.value.trim(), valid_to: ends(), owner: by.value() });
      window.close();
      note("Silenced.", { href: "#/silences", more: "All silences" });
      dispatchEvent(new Event("silences"));
      done();
    },
  });
  made.addEventListener("input", tell);
  made.addEventListener("change", tell);
  tell();
  const window = open(one ? "Silence cases like this" : "New silence", made);
}

