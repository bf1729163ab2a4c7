// How Deskwarden itself stands: sources, stages with their partitions, and every setting.

import { el, put, said } from "./dom.js";
import { keep } from "./keep.js";
import { letters } from "./letters.js";
import { list } from "./records.js";
import { load, may } from "./session.js";
import { clock, span } from "./time.js";
import { plain } from "./words.js";

/** Brokers are asked every five seconds at most. */
const AGAIN_MS = 10_000;
/** Share of unusable records from which on it is to be looked at. */
const REJECTED_MAX = 0.05;

const number = (value) => (Number.isFinite(value) ? value.toLocaleString("en-GB") : "–");
const object = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});
const total = (counts) => Object.values(object(counts)).reduce((sum, one) => sum + (Number.isFinite(one) ? one : 0), 0);

/** Keeps a view fresh until it is left. */
async function fresh(draw) {
  await draw();
  const timer = setInterval(() => !document.hidden && draw().catch(() => {}), AGAIN_MS);
  return () => clearInterval(timer);
}

function table(label, heads, rows) {
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label }, el("table", {}, el("thead", {}, el("tr", {}, heads.map(([name, kind]) => el("th", { scope: "col", class: kind }, name)))), el("tbody", {}, rows)));
}

function title(text, more, asked) {
  return el("header", { class: "view-head" }, el("div", {}, el("h1", {}, text), el("p", { class: "muted" }, more)), asked && el("p", { class: "muted" }, `as of ${clock(asked)}`));
}

/** Records that are not read: none is good. */
const lag = (value) => el("td", { class: value > 0 ? "num" : "num muted" }, number(value));

function reasons(counts, all) {
  const sum = total(counts);
  const share = all > 0 ? sum / all : 0;
  const told = Object.entries(object(counts)).sort((a, b) => b[1] - a[1]).slice(0, 6);
  return [el("b", { class: share > REJECTED_MAX ? "lack" : "" }, number(sum)), all > 0 && sum > 0 && el("span", { class: "muted" }, ` ${(share * 100).toFixed(1)} %`), el("div", { class: "muted" }, told.map(([why, n]) => el("span", { class: "tag" }, said(plain(why)), ` ${number(n)}`)))];
}

function source(one) {
  const counted = one.counted && object(one.counted);
  const about = [...list(one.domains), ...list(one.evidence)].map(plain);
  return el(
    "tr",
    {},
    el("td", {}, el("b", {}, said(one.name)), el("div", { class: "muted" }, said(plain(one.product)))),
    el("td", {}, el("code", {}, said(one.topic)), el("div", { class: "muted" }, `${number(one.partitions)} ${one.partitions === 1 ? "partition" : "partitions"}`)),
    el("td", { class: "covers" }, said([...new Set(about)].join(", "))),
    lag(one.lag),
    el("td", { class: "num" }, Number.isFinite(counted?.event_time_lag_s) ? span(counted.event_time_lag_s * 1000) : "–"),
    el("td", { class: "num" }, number(counted?.consumed)),
    counted ? el("td", {}, counted.is_degraded && el("span", { class: "state-chip shadow" }, "nearly all unusable"), " ", reasons(counted.rejected, counted.consumed)) : el("td", { class: "muted" }, "this instance does not collect"),
    el("td", {}, counted && reasons(counted.ignored, 0)),
    lag(counted?.clamped),
  );
}

export function sourcesView(node) {
  const feeds = el("div", { class: "feeds" });
  const unusable = may("admin") && el("section", { class: "card" });
  put(node, feeds, unusable);
  if (unusable) letters(unusable).catch(() => {});
  return fresh(async () => {
    const { asked_at: asked, sources } = await load("/api/v1/sources");
    const heads = [["Source", ""], ["Topic", ""], ["Tells of", ""], ["Not read", "num"], ["Age", "num"], ["Read", "num"], ["Unusable", ""], ["Of no interest", ""], ["Ahead of time", "num"]];
    const rows = list(sources).map(source);
    keep(feeds, () => put(feeds, title("Sources", "What is configured, how far it is read by all instances, and what this one has counted since it started.", asked), el("section", { class: "card" }, rows.length ? table("Sources", heads, rows) : el("p", { class: "none" }, "No source is configured."))));
  });
}

function group(one) {
  const heads = [["Topic", ""], ["Partition", "num"], ["Read by", ""], ["At", "num"], ["End", "num"], ["Not read", "num"]];
  const rows = list(one.partitions).map((part) => el("tr", {}, el("td", {}, el("code", {}, said(part.topic))), el("td", { class: "num" }, number(part.partition)), el("td", {}, part.member ? said(part.member) : el("span", { class: "lack" }, "nobody")), el("td", { class: "num" }, number(part.position)), el("td", { class: "num" }, number(part.end)), lag(part.lag)));
  const members = list(one.members).map((member) => list(member).map(String));
  return el(
    "section",
    { class: "card" },
    el("h2", {}, said(plain(one.stage)), el("small", {}, " ", said(one.group))),
    one.fault ? el("p", { class: "fault" }, said(one.fault)) : el("p", { class: "facts" }, el("span", {}, el("b", {}, number(one.lag)), " not read"), el("span", {}, members.length ? [`${members.length} ${members.length === 1 ? "member: " : "members: "}`, said([...new Set(members.map(([client, host]) => `${client} (${host})`))].slice(0, 12).join(", "))] : el("b", { class: "lack" }, "no member: nobody does this work"))),
    rows.length > 0 && table(String(one.stage), heads, rows),
  );
}

export function pipelineView(node) {
  return fresh(async () => {
    const { asked_at: asked, groups } = await load("/api/v1/pipeline");
    keep(node, () => put(node, title("Pipeline", "Which instance reads which partition, and how far; as the brokers say.", asked), list(groups).map(group)));
  });
}

export async function settingsView(node) {
  const settings = list((await load("/api/v1/config")).settings);
  const body = el("tbody", {});
  const filter = el("input", { type: "search", placeholder: "Filter: kafka, http.tokens, environment", "aria-label": "Filter the settings", maxlength: "120", class: "wide-filter" });
  const count = el("small", {});
  const draw = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = settings.filter((one) => words.every((word) => `${one.setting} ${one.value} ${one.origin}`.toLowerCase().includes(word)));
    put(count, ` ${found.length} of ${settings.length}`);
    put(body, found.map((one) => el("tr", {}, el("td", {}, el("code", {}, said(one.setting))), el("td", {}, el("code", {}, said(one.value))), el("td", { class: String(one.origin).startsWith("default") ? "muted" : "" }, said(one.origin)))));
  };
  filter.addEventListener("input", draw);
  draw();
  put(node, title("Settings", "Every setting of this instance, and where its value was set. Secrets are stars."), el("div", { class: "bar-row" }, filter), el("section", { class: "card" }, el("h2", {}, "Settings", count), el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Settings" }, el("table", {}, el("thead", {}, el("tr", {}, ["Setting", "Value", "Set by"].map((name) => el("th", { scope: "col" }, name)))), body))));
}
