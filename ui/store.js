// The cases that the page knows, and the live feed that keeps them fresh.

import { brief, read } from "./alert.js";
import { asked } from "./route.js";
import { load, ask as question, Refused, Unknown } from "./session.js";
import { listen } from "./sse.js";

/** Without a sign of life for this long the feed is taken for dead; the server sends one every 15 s. */
const SILENCE_MAX_MS = 40_000;
const RETRY_MS = [500, 1_000, 2_000, 5_000];
const PART = 200;
/** The first part is what fits a screen or two: it is there sooner. */
const FIRST_PART = 60;
/** Cases held by the page, as many as the server has; each is kept as its row needs it. */
const CASES_MAX = 10_000;

export class Store extends EventTarget {
  /** id → case. */
  cases = new Map();
  /** Ids in the order shown. */
  order = [];
  /** Ids that came since the list was last arranged. */
  fresh = new Set();
  /** Ids that changed and were not looked at since. */
  unseen = new Set();
  /** loading, live, reconnecting, locked, refused. */
  state = "loading";
  /** Why the filters cannot be used, where they cannot. */
  fault = "";
  /** What was decided here and does not show in the case yet: id → the answer. */
  decided = new Map();
  /** Who has which case, by id; the feed does not tell, so it is asked for. */
  assigned = new Map();
  total = 0;
  filter = asked(new URLSearchParams());
  #next = null;
  #reading = null;
  #run = 0;
  #abort = new AbortController();

  #changed(what) {
    this.dispatchEvent(new CustomEvent("change", { detail: what }));
  }

  #become(state) {
    if (this.state !== state) {
      this.state = state;
      this.#changed("state");
    }
  }

  /** Loads what a filter takes and follows it from there. */
  async follow(filter) {
    this.filter = filter;
    const run = ++this.#run;
    this.#abort.abort();
    this.#become("loading");
    for (let failures = 0; run === this.#run; ) {
      this.#abort = new AbortController();
      try {
        const position = await this.#load(run);
        if (run !== this.#run) return;
        failures = 0;
        await this.#stream(run, position);
      } catch (error) {
        if (error instanceof Unknown) {
          if (run === this.#run) this.#lock(error.message);
          return;
        }
        if (error instanceof Refused && error.status === 400) {
          if (run === this.#run) this.#refuse(error.message);
          return;
        }
        // Away, or not filled yet: the state says so, the next round tries again.
      }
      if (run !== this.#run) return;
      this.#become(this.order.length || failures ? "reconnecting" : "loading");
      await new Promise((wake) => setTimeout(wake, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]));
    }
  }

  /** Nobody knows who is at the page: nothing is kept, and nothing asked until somebody says so. */
  #lock(why) {
    this.#run += 1;
    this.#abort.abort();
    this.cases = new Map();
    this.order = [];
    this.total = 0;
    this.#next = null;
    this.fresh.clear();
    this.unseen.clear();
    this.decided.clear();
    this.assigned.clear();
    this.#become("locked");
    this.#changed("list");
    this.dispatchEvent(new CustomEvent("locked", { detail: why }));
  }

  /** The filters are none: an address may hold anything. */
  #refuse(fault) {
    this.fault = fault;
    this.cases = new Map();
    this.order = [];
    this.total = 0;
    this.#next = null;
    this.fresh.clear();
    this.#become("refused");
    this.#changed("list");
  }

  /** The person leaves. */
  lock() {
    this.#lock("");
  }

  /** The first part of the list; the rest comes when it is wanted. */
  async #load(run) {
    const part = await this.#part(null);
    if (run !== this.#run) return part.position;
    this.cases = part.found;
    this.total = part.total;
    this.order = [...part.found.keys()];
    this.fresh.clear();
    this.#next = part.next;
    this.#reading = null;
    this.#changed("list");
    return part.position;
  }

  async #part(cursor) {
    const ask = new URLSearchParams(this.filter);
    ask.set("limit", String(cursor ? PART : FIRST_PART));
    if (cursor) ask.set("cursor", cursor);
    const { alerts, total, next, position } = await load(`/api/v1/alerts?${ask}`, { signal: this.#abort.signal });
    const all = alerts.map(read);
    for (const one of all) this.#note(one.id, one.assignee);
    return { found: new Map(all.map((one) => [one.id, brief(one)])), total, next, position };
  }

  /** Whether older cases are there that were not loaded. */
  get hasMore() {
    return this.#next !== null && this.cases.size < CASES_MAX;
  }

  /** Loads the next part of the list, one at a time; whether it came. */
  more() {
    if (!this.hasMore) return Promise.resolve(false);
    this.#reading ??= this.#append().finally(() => (this.#reading = null));
    return this.#reading;
  }

  async #append() {
    const run = this.#run;
    try {
      const part = await this.#part(this.#next);
      if (run !== this.#run) return false;
      this.#next = part.next;
      this.total = part.total;
      for (const [id, one] of part.found) {
        // What the feed brought stands above the list until it is arranged; here is its place in it.
        if (this.cases.has(id) && !this.fresh.delete(id)) continue;
        if (!(this.cases.get(id)?.revision >= one.revision)) this.cases.set(id, one);
        this.order.push(id);
      }
      this.#changed("more");
      return true;
    } catch {
      // The feed says that the connection is lost; the list is loaded anew with it.
      return false;
    }
  }

  /** Loads all that there is. */
  async all() {
    while (this.hasMore && (await this.more()));
  }

  async #stream(run, position) {
    let lastId = position;
    const ask = new URLSearchParams(this.filter);
    // A case that closes is to be seen closing.
    ask.delete("status");
    ask.delete("assignee");
    for (let failures = 0; run === this.#run; ) {
      const abort = new AbortController();
      this.#abort.signal.addEventListener("abort", () => abort.abort());
      let timer = 0;
      const beat = () => {
        clearTimeout(timer);
        timer = setTimeout(() => abort.abort(), SILENCE_MAX_MS);
      };
      beat();
      try {
        await listen(`/api/v1/alerts/stream?${ask}`, lastId, {
          signal: abort.signal,
          onopen: () => {
            failures = 0;
            this.#become("live");
          },
          onbeat: beat,
          onevent: ({ event, id, data }) => {
            lastId = id || lastId;
            if (data && event !== "gap") this.#take(JSON.parse(data));
          },
        });
      } catch (error) {
        if (error instanceof Unknown) throw error;
        failures += 1;
      } finally {
        clearTimeout(timer);
      }
      if (run !== this.#run) return;
      this.#become("reconnecting");
      // Away for long: the list is loaded anew, so that nothing is missing.
      if (failures > 5) return;
      await new Promise((wake) => setTimeout(wake, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]));
    }
  }

  #take(doc) {
    const one = brief(read(doc));
    const known = this.cases.get(one.id);
    if (known && known.revision >= one.revision) return;
    const status = this.filter.get("status");
    if (!known && status && one.isOpen !== (status === "open")) return;
    const assignee = this.filter.get("assignee");
    if (!known && assignee && assignee !== (this.assigned.get(one.id) ?? "none")) return;
    if (!one.isOpen) this.decided.delete(one.id);
    if (known && !one.isOpen) one.message = known.message;
    if (!known && this.cases.size >= CASES_MAX) this.#dropOldest();
    this.cases.set(one.id, one);
    this.unseen.add(one.id);
    if (!known) {
      this.fresh.add(one.id);
      if (one.revision === 1) this.total += 1;
    }
    // The first alert on an empty page needs no invitation.
    if (this.order.length === 0) this.arrange();
    else this.#changed(known ? one.id : "fresh");
  }

  #dropOldest() {
    const oldest = this.order.pop();
    if (oldest) this.cases.delete(oldest);
  }

  /** Puts everything into order: newest first, closed ones away. */
  arrange() {
    if (this.filter.get("status") === "open") {
      for (const [id, one] of this.cases) if (!one.isOpen) this.cases.delete(id);
    }
    const ids = [...this.cases.values()].sort((a, b) => b.time - a.time || (a.id < b.id ? -1 : 1));
    this.order = ids.map((one) => one.id);
    this.fresh.clear();
    this.#changed("list");
  }

  /** The revisions of a case, oldest first; none where the server does not know it. */
  async history(id) {
    const response = await question(`/api/v1/alerts/${encodeURIComponent(id)}/revisions`);
    if (response.status === 404) return [];
    if (!response.ok) throw new Error(`the alert answers ${response.status}`);
    const found = (await response.json()).alerts.map(read).sort((a, b) => a.revision - b.revision);
    const newest = found.at(-1);
    if (newest && this.#note(id, newest.assignee)) this.#changed(id);
    return found;
  }

  /** Keeps who has a case; whether that is new. */
  #note(id, assignee) {
    if ((this.assigned.get(id) ?? "") === assignee) return false;
    if (assignee) this.assigned.set(id, assignee);
    else this.assigned.delete(id);
    return true;
  }

  /** Somebody has a case from now on; empty: nobody. */
  assign(id, assignee) {
    if (this.#note(id, assignee)) this.#changed(id);
  }

  /** Asks who has which open case. */
  async assignments() {
    const run = this.#run;
    const { assignments } = await load("/api/v1/assignments");
    if (run !== this.#run) return;
    const now = new Map(assignments.map(({ alert, assignee }) => [String(alert), String(assignee)]));
    for (const id of this.assigned.keys()) if (!now.has(id) && this.cases.get(id)?.isOpen !== false) this.assign(id, "");
    for (const [id, assignee] of now) this.assign(id, assignee);
  }

  /** Somebody here decided a case; its revision that says so comes with the feed. */
  decide(id, answer) {
    this.decided.set(id, answer);
    this.#changed(id);
  }

  seen(id) {
    if (this.unseen.delete(id)) this.#changed(id);
  }
}
