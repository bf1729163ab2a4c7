// Cases that have something in common with this one, among those that the page has loaded.

import { el, said } from "./dom.js";
import { among } from "./route.js";
import { day, minute } from "./time.js";
import { plain, SEVERITIES } from "./words.js";

const SHOWN_MAX = 8;

/** What two cases share, most telling first. */
function shared(one, other, events, ties) {
  if (other.who.id && other.who.id === one.who.id && other.who.kind === one.who.kind) return [3, "the same " + (one.who.kind === "identity" ? "person" : plain(one.who.kind))];
  const same = other.events.filter((id) => events.has(id)).length;
  if (same) return [2, `${same} of the same events`];
  const tie = other.ties.find((each) => ties.has(`${each.kind}|${each.id}`) && each.kind !== "agent") ?? other.ties.find((each) => ties.has(`${each.kind}|${each.id}`));
  return tie ? [tie.kind === "agent" ? 0 : 1, `${plain(tie.kind)} ${tie.name}`] : null;
}

/** The section, or nothing where no case is linked. */
export function linked(one, store, query) {
  const own = store.cases.get(one.id);
  const events = new Set(one.events.map((event) => event.id));
  const ties = new Set((own?.ties ?? []).map((tie) => `${tie.kind}|${tie.id}`));
  const found = [];
  for (const other of store.cases.values()) {
    if (other.id === one.id) continue;
    const why = shared(one, other, events, ties);
    if (why) found.push({ other, why });
  }
  if (!found.length) return null;
  found.sort((a, b) => b.why[0] - a.why[0] || b.other.time - a.other.time);
  return el(
    "section",
    { class: "card", "data-part": "linked" },
    el("h2", {}, "Linked cases", el("small", {}, ` ${found.length} of those in the list`)),
    el(
      "ul",
      { class: "linked" },
      found.slice(0, SHOWN_MAX).map(({ other, why }) =>
        el("li", { class: `s-${SEVERITIES[other.severity]}` }, el("span", { class: "score" }, other.score), el("a", { href: among(other.id, query) }, said(other.who.name || other.id)), el("span", { class: "muted" }, said(why[1])), el("time", {}, `${day(other.time)} ${minute(other.time)}`)),
      ),
    ),
  );
}
