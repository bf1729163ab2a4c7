// The cases that the page knows, and the live feed that keeps them fresh.

import { read } from "./alert.js";
import { ask as question, Unknown } from "./session.js";
import { listen } from "./sse.js";

/** Without a sign of life for this long the feed is taken for dead; the server sends one every 15 s. */
const SILENCE_MAX_MS = 40_000;
const RETRY_MS = [500, 1_000, 2_000, 5_000];
const PART = 200;
/** Cases held by the page; older ones are found by search. */
const CASES_MAX = 2_000;

export class Store extends EventTarget {
  /** id → case. */
  cases = new Map();
  /** Ids in the order shown. */
  order = [];
  /** Ids that came since the list was last arranged. */
  fresh = new Set();
  /** Ids that changed and were not looked at since. */
  unseen = new Set();
  /** loading, live, reconnecting, locked. */
  state = "loading";
  total = 0;
  filter = new URLSearchParams("status=open");
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
    this.fresh.clear();
    this.unseen.clear();
    this.#become("locked");
    this.#changed("list");
    this.dispatchEvent(new CustomEvent("locked", { detail: why }));
  }

  /** The person leaves. */
  lock() {
    this.#lock("");
  }

  async #load(run) {
    const found = new Map();
    let position = "";
    let total = 0;
    for (let cursor = null; ; ) {
      const ask = new URLSearchParams(this.filter);
      ask.set("limit", String(PART));
      if (cursor) ask.set("cursor", cursor);
      const response = await question(`/api/v1/alerts?${ask}`, { signal: this.#abort.signal });
      if (!response.ok) throw new Error(`the list answers ${response.status}`);
      const part = await response.json();
      position ||= part.position;
      total = part.total;
      for (const doc of part.alerts) {
        const one = read(doc);
        found.set(one.id, one);
      }
      cursor = part.next;
      if (!cursor || found.size >= CASES_MAX) break;
    }
    if (run !== this.#run) return position;
    this.cases = found;
    this.total = total;
    this.order = [...found.keys()];
    this.fresh.clear();
    this.#changed("list");
    return position;
  }

  async #stream(run, position) {
    let lastId = position;
    const ask = new URLSearchParams(this.filter);
    // A case that closes is to be seen closing.
    ask.delete("status");
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
    const one = read(doc);
    const known = this.cases.get(one.id);
    if (known && known.revision >= one.revision) return;
    if (!known && !one.isOpen && this.filter.get("status") === "open") return;
    if (!known && this.cases.size >= CASES_MAX) this.#dropOldest();
    this.cases.set(one.id, one);
    this.unseen.add(one.id);
    if (!known) {
      this.fresh.add(one.id);
      this.total += 1;
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

  /** A case by its id, from here or from the server. */
  async find(id) {
    const known = this.cases.get(id);
    if (known) return known;
    const response = await question(`/api/v1/alerts/${encodeURIComponent(id)}`);
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`the alert answers ${response.status}`);
    return read(await response.json());
  }

  /** The revisions of a case, oldest first. */
  async history(id) {
    const response = await question(`/api/v1/alerts/${encodeURIComponent(id)}/revisions`);
    return response.ok ? (await response.json()).alerts.map(read) : [];
  }

  seen(id) {
    if (this.unseen.delete(id)) this.#changed(id);
  }
}
