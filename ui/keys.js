// The keys of the page: what they do is told by the table that is shown with `?`.

import { isOpen, open } from "./dialog.js";
import { el } from "./dom.js";
import { may } from "./session.js";

const GROUPS = [
  ["Move", [["j", "next case"], ["k", "previous case"], ["Enter", "into the case"], ["Esc", "back"], ["n", "show the new ones"]]],
  ["Find", [["/", "filter the cases"], ["Ctrl K", "search everything"], ["g", "group by person, pattern, agent"]]],
  ["Decide", [["x", "select this case"], ["X", "select all, or none"], ["d", "decide"], ["t", "take"], ["s", "silence"], ["E", "exempt what was expected"]], "analyst"],
  ["Events", [["p", "pin the picked event"], ["r", "its source record"]]],
  ["Take along", [["m", "copy the case as Markdown"], ["e", "download the OCSF document"], ["Ctrl P", "print"]]],
  ["Look", [["u", "UTC or local time"], ["l", "dark or light"], ["?", "these keys"]]],
];

const allowed = () => GROUPS.filter(([, , role]) => !role || may(role));

function listed(keys) {
  return el("dl", { class: "keys" }, keys.map(([key, what]) => el("div", {}, el("dt", {}, key.split(" ").map((one) => el("kbd", {}, one))), el("dd", {}, what))));
}

/** The first keys that anybody needs. */
export const first = () => listed([["j", "next"], ["k", "previous"], ["Enter", "open"], ["/", "filter"], ["Ctrl K", "search"], ["?", "all keys"]]);

/** Shows all keys. */
export function help() {
  const { close } = open("Keys", el("div", { class: "key-groups" }, allowed().map(([name, keys]) => el("section", {}, el("h3", {}, name), listed(keys)))), { wide: true });
  const dialog = document.querySelector("dialog[open]");
  dialog.append(el("div", { class: "buttons" }, el("button", { class: "primary", "data-first": true, onclick: close }, "Close")));
  dialog.querySelector("[data-first]").focus();
}

/** Calls what a key stands for; `acts` by the name of the key. `isList(target)` says where arrows move. */
export function listen(acts, isList) {
  addEventListener("keydown", (event) => {
    if (event.altKey || isOpen()) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      acts["Ctrl K"]();
      return;
    }
    const { target, key } = event;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.type !== "checkbox") {
      if (key === "Escape") target.blur();
      return;
    }
    // Arrows scroll what is read, and Enter presses what has the focus.
    if (!isList(target) && (key.startsWith("Arrow") || key === "Enter")) return;
    if (key === "Enter" && target.closest("button, a, summary")) return;
    const act = Object.hasOwn(acts, key) ? acts[key] : null;
    if (!act) return;
    event.preventDefault();
    act();
  });
}
