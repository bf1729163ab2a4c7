// Exemptions: what was expected, of whom or what, until when, and why. One form for all kinds.

import { owner, reason } from "./decide.js";
import { choice, field, form, note, open } from "./dialog.js";
import { el, put, said } from "./dom.js";
import { kindName } from "./row.js";
import { send } from "./session.js";
import { fromInput, full, inputValue, zoneName } from "./time.js";
import { known, plain } from "./words.js";

const DAY_MS = 86_400_000;
const DAYS_MAX = 90;
const SPANS = [1, 7, 30, DAYS_MAX];

function list(values) {
  const all = Array.isArray(values) ? values.map(String) : [];
  return all.length > 4 ? `${all.slice(0, 3).join(", ")} and ${all.length - 3} more` : all.join(", ");
}

/** What an exemption of each kind covers, in words. */
const COVERS = {
  travel: (s) => `${s.person} may sign in from ${list(s.countries)}`,
  device_refresh: (s) => `new devices for ${list(s.persons)}`,
  incident: (s) => `${list(s.agents)} work on incident ${s.incident}, led by ${s.commander}`,
  maintenance: (s) => `the feed of ${plain(s.feed)} evidence is down`,
  batch: (s) => `${s.principal} works through ${list(s.targets)}, ${s.budget_per_hour} an hour at most`,
  allow_list: (s) => `${s.entity} speaks for ${s.max} people at most`,
  shared_device: (s) => `${s.entity} is shared by ${s.max} people at most`,
  delegation: (s) => `${list(s.delegates)} may act for ${s.person}`,
  drill: (s) => `the use of ${s.account} is practised`,
  policy: (s) => [s.persons?.length && `${list(s.persons)} approve their own requests`, s.ticket_types?.length && `tickets of type ${list(s.ticket_types)} need no approval`].filter(Boolean).join("; "),
};

/** What an exemption covers; nothing where its scope is not as expected. */
export const covers = (entry) => (Object.hasOwn(COVERS, entry.kind) ? COVERS[entry.kind](entry.scope) : "");

/** Id, name, when it is declared, what follows. */
const KINDS = [
  ["travel", "Travel", "a person is on a journey", "Sign-ins and calls from there count for less, and the new country does not count at all."],
  ["device_refresh", "New devices", "people are given new ones", "What these people enrol counts for less."],
  ["incident", "Incident", "the desk works through one", "Recoveries by these agents do not count."],
  ["maintenance", "Maintenance", "a feed of evidence is down", "What only this feed could show is not held against anybody."],
  ["batch", "Batch", "a job works through a list", "Recoveries by this job, of those on the list, do not count."],
  ["allow_list", "Speaks for many", "a number or address of a front desk", "Up to so many people it is not counted as one caller for many."],
  ["shared_device", "Shared", "a device or number of many", "Up to so many people it is not counted as one device for many."],
  ["delegation", "Delegation", "somebody acts for a person", "Calls by a delegate are not counted as those of a stranger."],
  ["drill", "Drill", "an emergency account is practised", "Its use does not count as one that nobody declared."],
  ["policy", "Policy", "a control that cannot be had", "Approving one's own request does not count for them."],
];
const FEEDS = ["ticket", "verify", "callback", "approval", "override", "transcript"];
const THINGS = ["caller", "device", "address"];
const IDS = "Ids as alerts show them, with commas between";

/** The fields of a scope: name, label, form, what to write; forms: one, many, feed, number, thing. */
const FIELDS = {
  travel: [["person", "Person", "one"], ["countries", "Countries", "many", "ISO codes, such as JP, NL"]],
  device_refresh: [["persons", "People", "many", IDS]],
  incident: [["incident", "Incident", "one", "Its number"], ["commander", "Led by", "one"], ["agents", "Agents", "many", IDS]],
  maintenance: [["feed", "Feed", "feed"]],
  batch: [["principal", "Job", "one", "Its identity"], ["targets", "Accounts", "many", IDS], ["budget_per_hour", "In an hour at most", "number"]],
  allow_list: [["entity", "Number or address", "thing"], ["max", "People at most", "number"]],
  shared_device: [["entity", "Device or number", "thing"], ["max", "People at most", "number"]],
  delegation: [["person", "Person", "one"], ["delegates", "Delegates", "many", IDS]],
  drill: [["account", "Account", "one"]],
  policy: [["persons", "People", "optional", "Who approve their own requests"], ["ticket_types", "Ticket types", "optional", "Whose tickets need no approval"]],
};

const entries = (text) => text.split(/[\s,;]+/).filter(Boolean);

/** A field of a scope with its value; `given` is what is known of it. */
function made([name, label, type, hint], given) {
  const line = (more) => el("input", { type: "text", maxlength: "4000", spellcheck: "false", autocomplete: "off", required: type !== "optional", ...more });
  if (type === "feed") {
    const input = el("select", {}, FEEDS.map((one) => el("option", { value: one, selected: one === given }, plain(one))));
    return { name, input, node: field(label, input), value: () => input.value };
  }
  if (type === "number") {
    const input = el("input", { type: "number", min: "1", max: "100000", step: "1", required: true, value: given ?? "" });
    return { name, input, node: field(label, input), value: () => Number(input.value) };
  }
  if (type === "thing") {
    const [kind, ...id] = String(given ?? "").split("|");
    const which = el("select", { "aria-label": "Kind" }, THINGS.map((one) => el("option", { value: one, selected: one === kind }, kindName(one))));
    const input = line({ value: id.join("|"), placeholder: "id, as alerts show it" });
    return { name, input, node: el("div", { class: "pair" }, field("Kind", which), field(label, input)), value: () => `${which.value}|${input.value.trim()}` };
  }
  const isList = type !== "one";
  const input = line({ value: isList ? (given ?? []).join(", ") : (given ?? "") });
  return { name, input, node: field(label, input, hint ?? "An id as alerts show it"), value: () => (isList ? entries(input.value) : input.value.trim()) };
}

/** People and things of a case by what they did in it: distinct ids. */
function idsOf(one, names) {
  const found = one.events.flatMap((event) => event.details.filter(([name]) => names.includes(name)).map(([, , id]) => id));
  const roles = (one.findings ?? []).flatMap((f) => f.roles.filter(([role]) => names.includes(role)).map(([, , id]) => id));
  return [...new Set([...found, ...roles])].filter(Boolean);
}

/** What a case says of each kind: the values of its fields, the kinds that may explain it first. */
function ofCase(one) {
  const { kind, id } = one.who;
  const isPerson = kind === "identity";
  const agents = idsOf(one, ["agent"]).filter((agent) => agent !== id);
  const people = isPerson ? [id] : idsOf(one, ["target", "requester"]);
  const thing = THINGS.includes(kind) ? `${kind}|${id}` : ["device", "caller", "address"].flatMap((name) => idsOf(one, [name]).map((each) => `${name}|${each}`))[0];
  const [first] = people;
  const given = {
    travel: { person: first, countries: idsOf(one, ["country", "caller_country"]).filter((code) => /^[A-Z]{2}$/.test(code)) },
    device_refresh: { persons: people },
    incident: { agents },
    maintenance: {},
    batch: { principal: agents[0], targets: people },
    allow_list: { entity: thing, max: Math.max(1, people.length) },
    shared_device: { entity: thing, max: Math.max(1, people.length) },
    delegation: { person: first, delegates: idsOf(one, ["requester"]).filter((each) => each !== first) },
    drill: { account: first },
    policy: { persons: idsOf(one, ["approver"]) },
  };
  const has = (pattern) => one.findings.some((f) => f.pattern === pattern && f.state === "active");
  const fits = [
    ["allow_list", kind === "caller" || kind === "address"],
    ["shared_device", kind === "device" || kind === "caller"],
    ["drill", has("HDT-06")],
    ["policy", has("HDT-12")],
    ["travel", isPerson && given.travel.countries.length > 0],
    ["device_refresh", isPerson && one.events.some((event) => event.lane === "device")],
    ["delegation", has("HDT-20")],
    ["incident", agents.length > 0],
    ["batch", agents.length > 0],
  ];
  return { given, fits: fits.filter(([, is]) => is).map(([name]) => name), from: one.first - DAY_MS / 24 };
}

/** From when until when: two moments and the usual spans. */
function times(first) {
  const start = first ?? Date.now();
  const until = Date.now() + 7 * DAY_MS;
  const moment = (ms) => el("input", { type: "datetime-local", required: true, value: inputValue(ms), step: "60" });
  const [from, to] = [moment(start), moment(until)];
  const ends = (days) => {
    to.value = inputValue(Date.now() + days * DAY_MS > start + DAYS_MAX * DAY_MS ? fromInput(from.value) + DAYS_MAX * DAY_MS : Date.now() + days * DAY_MS);
    to.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const quick = el("div", { class: "quick", role: "group", "aria-label": "Until" }, SPANS.map((days) => el("button", { type: "button", onclick: () => ends(days) }, days === 1 ? "1 day" : `${days} days`)));
  const node = el("div", { class: "times" }, field(`From (${zoneName()})`, from, first && "Before the case, so that it is reckoned anew"), field(`Until (${zoneName()})`, to, quick));
  return { node, from, to, value: () => ({ valid_from: fromInput(from.value), valid_to: fromInput(to.value) }) };
}

/** Asks for an exemption, of a case or of anything, and sends it; `done` when it lies in the topic. */
export function exempt(one, done = () => {}) {
  const { given = {}, fits = [], from = null } = one ? ofCase(one) : {};
  const order = [...KINDS].sort((a, b) => (fits.indexOf(a[0]) + 1 || 99) - (fits.indexOf(b[0]) + 1 || 99));
  const kind = choice("What was expected?", "kind", order.map(([id, name, hint]) => [id, name, hint]), order[0][0]);
  const scope = el("div", { class: "scope-fields" });
  const when = times(from);
  const why = reason("Who declared it, and where that can be read");
  const by = owner();
  const told = el("p", { class: "told" });
  let own = [];
  const body = () => ({ kind: kind.value(), scope: Object.fromEntries(own.map(({ name, value }) => [name, value()]).filter(([, value]) => !Array.isArray(value) || value.length)), ...when.value() });
  const tell = () => {
    const [, , , effect] = KINDS.find(([id]) => id === kind.value());
    const isWhole = own.every(({ input }) => input.checkValidity());
    put(told, isWhole && [el("b", {}, said(covers(body()))), " until ", el("b", {}, full(when.value().valid_to)), ". "], effect);
  };
  const draw = () => {
    const name = kind.value();
    own = FIELDS[name].map((one) => made(one, given[name]?.[one[0]]));
    put(scope, own.map(({ node }) => node));
    tell();
  };
  const window = open(
    one ? "Exempt what was expected" : "New exemption",
    form([el("div", { class: "exempt" }, kind.set, el("div", { class: "form" }, scope, field("Why", why), by.node, when.node)), told], {
      submit: "Exempt",
      cancel: () => window.close(),
      fields: () => new Map([...own.map(({ name, input }) => [name, input]), ["valid_from", when.from], ["valid_to", when.to], ["reason", why], ["owner", by.input]]),
      send: async () => {
        await send("POST", "/api/v1/exemptions", { ...body(), reason: why.value.trim(), owner: by.value() });
        window.close();
        note(one?.isOpen ? "Exempt. The case is reckoned anew." : "Exempt.", { href: "#/silences", more: "All exemptions" });
        dispatchEvent(new Event("silences"));
        done();
      },
    }),
    { wide: true },
  );
  window.dialog.classList.add("exempting");
  kind.set.addEventListener("change", draw);
  window.dialog.addEventListener("input", tell);
  draw();
  kind.set.querySelector("input:checked").focus();
}

/** The name of a kind. */
export const kindOf = (id) => known(Object.fromEntries(KINDS), id) ?? plain(id);
