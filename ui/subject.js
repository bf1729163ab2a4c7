// Views of a person, an agent and a thing: what was done to them, by them or through them.

import { el, put, said, svg } from "./dom.js";
import { caseList, events, list, read, recordsTable, since, tile, who } from "./records.js";
import { to } from "./route.js";
import { kindName, tier } from "./row.js";
import { load } from "./session.js";
import { heldFor } from "./silences.js";
import { timeline } from "./timeline.js";
import { day, minute } from "./time.js";
import { plain } from "./words.js";

const DAY_MS = 86_400_000;
/** The sections of time that the timeline shows, counted from the newest record. */
const ZOOMS = [["1 h", DAY_MS / 24], ["24 h", DAY_MS], ["7 d", 7 * DAY_MS], ["all", Infinity]];
/** Events of a timeline: more cannot be told apart. */
const EVENTS_MAX = 60;

function head(one, kind, id) {
  const known = one && one.name !== id;
  return el("header", {}, el("div", { class: "subject-head" }, el("h1", {}, said(one?.name || id)), tier(one?.tier), el("span", { class: "muted" }, kind, known && [" ", el("code", {}, said(id))])));
}

/** The swim lanes of a person, with how much of the time is shown. */
function lanes(all) {
  const found = events(all);
  if (!found.length) return { card: null, stop: () => {} };
  const node = el("div", { class: "scroll lanes", tabindex: "0", role: "group", "aria-label": "Timeline, scrolls sideways" });
  const newest = found.at(-1).time;
  let length = ZOOMS.find(([, ms]) => found.filter((event) => event.time > newest - ms).length > 3)?.[1] ?? Infinity;
  const note = el("small", {});
  const segs = ZOOMS.map(([name, ms]) => el("button", { class: "seg", onclick: () => draw((length = ms)) }, name));
  const draw = () => {
    const inside = found.filter((event) => event.time > newest - length);
    const shown = inside.slice(-EVENTS_MAX);
    segs.forEach((seg, n) => seg.setAttribute("aria-pressed", String(ZOOMS[n][1] === length)));
    put(note, shown.length < inside.length ? ` the newest ${shown.length} of ${inside.length}` : ` ${shown.length} of ${found.length} events`);
    put(node, timeline({ events: shown, findings: [], missing: [] }, node.clientWidth || 900, () => {}).drawn);
  };
  const card = el("section", { class: "card wide" }, el("div", { class: "view-head" }, el("h2", {}, "What happened, in order", note), el("div", { class: "segs", role: "group", "aria-label": "Time shown" }, segs)), node);
  let width = 0;
  const watch = new ResizeObserver(() => {
    if (Math.abs(node.clientWidth - width) <= 8) return;
    width = node.clientWidth;
    draw();
  });
  watch.observe(node);
  draw();
  return { card, stop: () => watch.disconnect() };
}

function people(title, values, href, counted) {
  const rows = list(values).map((value) => {
    const one = who(value);
    return el("li", {}, el("span", { class: "count" }, Number.isFinite(value.recoveries) ? value.recoveries : ""), el("a", { href: href(one.id) }, said(one.name)), tier(one.tier), Number.isFinite(value.last) && el("span", { class: "end" }, `last ${day(value.last)} ${minute(value.last)}`));
  });
  return el("section", { class: "card" }, el("h2", {}, title, counted && rows.length > 0 && el("small", {}, counted)), rows.length ? el("ul", { class: "mini" }, rows) : el("p", { class: "none" }, "Nobody in the records held."));
}

const JOINED = { root: "the person is named after it", employee_id: "same employee id", mail: "same verified mail or login", user_name: "same user name of single sign-on" };
const STRENGTHS = { S0: "proves nothing", S1: "weak", S2: "strong", S3: "as good as the account" };

/** One name of an account: what it is, how much it proves, since when. */
function name(one) {
  const ended = Number.isFinite(one.to);
  const times = [Number.isFinite(one.from) && `since ${day(one.from)}`, ended && `until ${day(one.to)}`].filter(Boolean).join(" ");
  return el("li", { class: ended ? "done" : "" }, el("span", {}, said(one.shown), " ", el("small", {}, plain(one.name_use))), el("span", { class: "end" }, [STRENGTHS[one.strength] ?? "", times].filter(Boolean).join(", ")));
}

/** What the directory knows of a person: accounts, why they are one person, and their names. */
function known(directory) {
  if (!directory) return "";
  const accounts = list(directory.accounts).map((one) => el("li", {}, el("b", {}, said(one.account)), el("small", {}, ` ${JOINED[one.joined_by] ?? ""}`), tier(one.tier), el("span", { class: "end" }, plain(one.lifecycle)), el("ul", { class: "mini" }, list(one.names).map(name))));
  const facts = [directory.manager && el("span", {}, "manager ", el("a", { href: to("identities", directory.manager) }, said(directory.manager))), directory.desk && el("span", {}, "works at the desk"), Number.isFinite(directory.read_at) && el("span", {}, `directory of ${day(directory.read_at)} ${minute(directory.read_at)}`)];
  return el("section", { class: "card wide" }, el("h2", {}, "Accounts, and why they are one person"), el("p", { class: "facts" }, facts), el("ul", { class: "accounts" }, accounts));
}

/** A person: who recovered the account, and what happened to it. */
export async function identityView(node, { id }) {
  const url = `/api/v1/identities/${encodeURIComponent(id)}`;
  const [answer, held] = await Promise.all([load(url), heldFor(id)]);
  const counts = answer.counts ?? {};
  const drawn = lanes(list(answer.records).map(read));
  put(
    node,
    head(answer.identity && who(answer.identity), "person", id),
    el("div", { class: "tiles" }, tile(counts.recoveries, "recoveries"), tile(counts.by_admin, "by the desk or an admin"), tile(counts.tickets, "tickets"), tile(counts.contacts, "calls and chats"), tile(counts.verifications, "identity checks")),
    drawn.card ?? "",
    el("div", { class: "columns" }, caseList(answer.cases), people("Who recovered the account", answer.agents, (agent) => to("agents", agent), " recoveries each")),
    known(answer.directory),
    held ?? "",
    recordsTable("Records", url, answer),
    since(answer.since) ?? "",
  );
  return drawn.stop;
}

/** Recoveries of each day as bars. */
function days(values) {
  const found = list(values);
  const most = Math.max(1, ...found.map((one) => one.recoveries || 0));
  const bars = found.map((one, n) => {
    const height = ((one.recoveries || 0) / most) * 70;
    return svg("g", {}, svg("title", {}, `${day(one.day)}: ${one.recoveries}`), svg("rect", { x: n * 20 + 2, y: 76 - Math.max(2, height), width: 16, height: Math.max(2, height), rx: 2, class: one.recoveries ? "" : "none" }));
  });
  const label = (n, anchor) => found[n] && svg("text", { x: anchor === "end" ? found.length * 20 : 0, y: 93, "text-anchor": anchor }, day(found[n].day));
  return el("section", { class: "card" }, el("h2", {}, "Recoveries a day", el("small", {}, ` at most ${most}`)), svg("svg", { class: "days", viewBox: `0 0 ${Math.max(1, found.length) * 20} 96`, role: "img", "aria-label": `Recoveries of each of the last ${found.length} days, at most ${most}` }, bars, label(0, "start"), label(found.length - 1, "end")));
}

/** An agent: what was recovered, for whom, and which controls were left out. */
export async function agentView(node, { id }) {
  const url = `/api/v1/agents/${encodeURIComponent(id)}`;
  const answer = await load(url);
  const c = answer.counts ?? {};
  const peers = answer.peers ?? {};
  const rank = Number.isFinite(peers.rank) && Number.isFinite(peers.agents);
  put(
    node,
    head(answer.agent && who(answer.agent), "agent", id),
    el("div", { class: "tiles" }, tile(c.recoveries, "recoveries"), tile(c.identities, "people"), tile(c.overrides, "overrides"), tile(c.overrides_without_reason, "overrides without reason", true), tile(c.self_approved, "approved by themselves", true)),
    el("div", { class: "tiles" }, tile(c.settled, "recoveries decided"), tile(c.ticket_missing, "without a ticket", true), tile(c.verify_missing, "without verification", true), tile(c.callback_missing, "without call-back", true), tile(c.approval_missing, "without a second person", true)),
    el("div", { class: "columns" }, days(answer.days), el("section", { class: "card" }, el("h2", {}, "Beside the others"), rank ? el("ul", { class: "mini" }, el("li", {}, el("span", {}, "place by recoveries"), el("b", { class: "end" }, `${peers.rank} of ${peers.agents}`)), el("li", {}, el("span", {}, "half of the agents have fewer than"), el("b", { class: "end" }, peers.recoveries_median)), el("li", {}, el("span", {}, "19 of 20 have fewer than"), el("b", { class: "end" }, peers.recoveries_p95))) : el("p", { class: "none" }, "There are no others in the records held."))),
    el("div", { class: "columns" }, caseList(answer.cases), people("Whose accounts", answer.identities, (person) => to("identities", person), " recoveries each")),
    recordsTable("Records", url, answer),
    since(answer.since) ?? "",
  );
}

/** People on the one side, the thing on the other. */
function graph(kind, id, identities) {
  const found = list(identities).slice(0, 12);
  const height = Math.max(70, found.length * 34 + 10);
  const middle = height / 2;
  const rows = found.map((value, n) => {
    const one = who(value);
    const y = n * 34 + 22 + (found.length === 1 ? middle - 22 : 0);
    const cases = list(value.cases).length;
    const label = one.name.length > 30 ? `${one.name.slice(0, 29)}…` : one.name;
    return [svg("path", { d: `M232 ${middle}C290 ${middle} 290 ${y} 348 ${y}` }), svg("a", { href: to("identities", one.id) }, svg("circle", { cx: 356, cy: y, r: 8, class: "node" }), svg("text", { x: 374, y: y + 4 }, label, cases > 0 && ` · ${cases} ${cases === 1 ? "case" : "cases"}`))];
  });
  const name = id.length > 26 ? `${id.slice(0, 25)}…` : id;
  return svg("svg", { class: "graph", viewBox: `0 0 680 ${height}`, role: "group", "aria-label": `People tied to this ${kind}` }, rows, svg("rect", { x: 8, y: middle - 17, width: 224, height: 34, rx: 17, class: "hub" }), svg("text", { x: 120, y: middle + 4, "text-anchor": "middle" }, name));
}

/** A number, device, address, ticket or call: whom it ties together. */
export async function pivotView(node, { kind, id }) {
  const url = `/api/v1/pivots/${encodeURIComponent(kind)}/${encodeURIComponent(id)}`;
  const answer = await load(url);
  const identities = list(answer.identities);
  const title = answer.name || id;
  const drawn = lanes(list(answer.records).map(read));
  put(
    node,
    head({ name: title, tier: "" }, kindName(kind), id),
    el("div", { class: "columns" }, el("section", { class: "card" }, el("h2", {}, "People", el("small", {}, ` ${identities.length}`)), identities.length ? graph(plain(kind), title, identities) : el("p", { class: "none" }, "Nobody in what is held."), identities.length > 12 && el("p", { class: "muted" }, `and ${identities.length - 12} more`)), caseList(answer.cases)),
    drawn.card ?? "",
    recordsTable("Records", url, answer),
  );
  return drawn.stop;
}

