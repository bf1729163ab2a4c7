// Every view there is, as an address and what shows that it is there; for pictures and for axe.

import { lead, start, until } from "./tools.mjs";

const caseThere = (id) => (page) => until(page, (id) => document.querySelector(".links .id")?.textContent === id, id);
const there = (selector) => (page) => page.waitForSelector(selector);

/** name → [address, when it is there, what is pressed then]. */
export const places = {
  list: ["#/", there(".case")],
  case: [`#/alerts/${lead}`, caseThere(lead)],
  counter: [`#/alerts/${start[4].finding_info.uid}`, caseThere(start[4].finding_info.uid)],
  caller: [`#/alerts/${start[5].finding_info.uid}`, caseThere(start[5].finding_info.uid)],
  ticket: [`#/alerts/${start[6].finding_info.uid}`, caseThere(start[6].finding_info.uid)],
  grouped: ["#/?group=agent", there(".group")],
  closed: ["#/?status=closed", there(".case.closed")],
  empty: ["#/?text=nobody-at-all", there(".empty")],
  silences: ["#/silences", there("td.covers")],
  identity: ["#/identities/id-7f3a", there(".mark")],
  agent: ["#/agents/id-a12", there(".days")],
  pivot: ["#/pivots/caller/caller-91bc", there(".graph")],
  patterns: ["#/patterns", there("tbody tr")],
  sources: ["#/sources", there("tbody tr")],
  pipeline: ["#/pipeline", there("tbody tr")],
  audit: ["#/audit", there("tbody tr")],
  settings: ["#/settings", there("tbody tr")],
};

/** Windows over a case: key and what shows that they are open. */
export const windows = {
  keys: ["?", ".key-groups"],
  deciding: ["d", ".options.verdict"],
  silencing: ["s", ".options.until"],
  exempting: ["E", ".options.kind"],
  assigning: ["t", "input[list]"],
  searching: ["Control+k", ".search-input"],
};
