// Addresses within the page: which view, of what, and how the list is filtered.

/** Views that stand alone; all others name what they show. */
const VIEWS = ["silences", "patterns", "sources", "pipeline", "audit", "settings"];
const NAMED = { alerts: "case", identities: "identity", agents: "agent" };
/** What the server takes as a filter of the list. */
const FILTERS = ["status", "assignee", "severity", "min_severity", "pattern", "family", "tier", "entity", "agent", "ticket", "from", "to", "text"];
/** Longest value of a filter. */
const VALUE_BYTES_MAX = 256;
export const GROUPS = ["person", "pattern", "agent"];

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** What an address asks for: `{ view, id, kind, query }`. Unknown ones ask for the list. */
export function read(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const query = new URLSearchParams(search);
  const parts = path.split("/").map(decoded);
  const [first, second, third] = parts;
  if (VIEWS.includes(first) && parts.length === 1) return { view: first, id: "", kind: "", query };
  if (Object.hasOwn(NAMED, first) && second && parts.length === 2) return { view: NAMED[first], id: second, kind: "", query };
  if (first === "pivots" && second && third && parts.length === 3) return { view: "pivot", id: third, kind: second, query };
  return { view: "cases", id: "", kind: "", query };
}

/** The address of a view; the parts are ids. */
export function to(...parts) {
  return `#/${parts.map((part) => encodeURIComponent(String(part).toWellFormed())).join("/")}`;
}

/** Pinned events that an address names at most, each by so much of its id. */
const PINS_MAX = 32;
const PIN = /^[0-9a-f]{8}$/;
const PIN_LETTERS = 8;

/** How an address names an event. */
export const pinOf = (id) => id.slice(0, PIN_LETTERS);

/** The events of a case that an address pins. */
export const pinned = (query) => new Set((query.get("pins") ?? "").split(",").filter((pin) => PIN.test(pin)).slice(0, PINS_MAX));

/** The address of a case, or of none, with the list as it is and the events that are pinned. */
export function among(id, query, pins = new Set()) {
  const search = [query.toString(), id && pins.size > 0 && `pins=${[...pins].slice(0, PINS_MAX).join(",")}`].filter(Boolean).join("&");
  return (id ? to("alerts", id) : "#/") + (search ? `?${search}` : "");
}

/** As much of a text as the server takes, in whole characters. */
function cut(text) {
  let bytes = 0;
  let kept = "";
  for (const letter of text) {
    bytes += new TextEncoder().encode(letter).length;
    if (bytes > VALUE_BYTES_MAX) break;
    kept += letter;
  }
  return kept;
}

/** What of an address concerns the list, in an order of its own: equal lists have equal texts. */
export function listed(query) {
  const found = new URLSearchParams();
  for (const name of FILTERS) {
    const value = query.get(name);
    if (value) found.set(name, cut(value));
  }
  if (GROUPS.includes(query.get("group"))) found.set("group", query.get("group"));
  return found;
}

/** The question to the server: open cases, if nothing is said of it. */
export function asked(query) {
  const found = listed(query);
  found.delete("group");
  if (!found.has("status")) found.set("status", "open");
  else if (!["open", "closed"].includes(found.get("status"))) found.delete("status");
  return found;
}

const ENTITY_VIEWS = { identity: "identities", agent: "agents" };
const PIVOTS = ["caller", "device", "address", "ticket", "contact"];

/** Where an entity has a view of its own; null where it has none. */
export function entity(kind, id) {
  if (!id) return null;
  if (Object.hasOwn(ENTITY_VIEWS, kind)) return to(ENTITY_VIEWS[kind], id);
  return PIVOTS.includes(kind) ? to("pivots", kind, id) : null;
}
