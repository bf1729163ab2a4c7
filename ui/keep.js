// Draws something anew under the eyes of a reader: what was folded, scrolled, selected and focused stays so.

/** Where a reader may be: these have the same name in both drawings. */
const ANCHORS = "[data-part], [data-event]";

/** What an element is known by, and its place among those that are known by the same. */
export function nameOf(root, node) {
  const key = keyOf(node);
  return { key, tag: node.localName, n: alike(root, node.localName, key).indexOf(node) };
}

function keyOf(node) {
  if (node.localName === "summary" && node.parentElement.id) return node.parentElement.id;
  const names = ["id", "data-part", "data-event", "aria-label", "href"].map((name) => node.getAttribute(name));
  return names.find(Boolean) ?? node.textContent;
}

const alike = (root, tag, key) => [...root.getElementsByTagName(tag)].filter((node) => keyOf(node) === key);

/** The element of that name, if there is one. */
export const named = (root, { key, tag, n }) => alike(root, tag, key)[n];

/** The first thing in sight and how far below the upper edge it begins. */
function sight(root) {
  const edge = root.getBoundingClientRect().top;
  const first = [...root.querySelectorAll(ANCHORS)].find((node) => node.getBoundingClientRect().top >= edge);
  return first && { name: nameOf(root, first), below: first.getBoundingClientRect().top - edge };
}

/** Where a text that is selected begins or ends: the way to it from the part that it stands in. */
function spot(root, node, offset) {
  const part = node.parentElement?.closest("[data-part]");
  if (!part || !root.contains(part)) return null;
  const way = [];
  for (let at = node; at !== part; at = at.parentNode) way.unshift([...at.parentNode.childNodes].indexOf(at));
  return { name: nameOf(root, part), way, text: node.textContent, offset };
}

function found(root, spot) {
  const node = spot.way.reduce((at, n) => at?.childNodes[n], named(root, spot.name));
  return node?.textContent === spot.text ? node : null;
}

function selected(root) {
  const all = getSelection();
  if (!all || all.isCollapsed || !root.contains(all.anchorNode) || !root.contains(all.focusNode)) return null;
  const ends = [spot(root, all.anchorNode, all.anchorOffset), spot(root, all.focusNode, all.focusOffset)];
  return ends.every(Boolean) ? ends : null;
}

/** Calls `draw`, which fills `root` anew, and puts the reader back to where they were. */
export function keep(root, draw) {
  const focus = root !== document.activeElement && root.contains(document.activeElement) ? nameOf(root, document.activeElement) : null;
  const folds = [...root.querySelectorAll("details[id]")].map(({ id, open }) => [id, open]);
  const scrolled = [...root.querySelectorAll(".scroll")].map((node) => [nameOf(root, node), node.scrollLeft, node.scrollTop]);
  const [seen, top, ends] = [sight(root), root.scrollTop, selected(root)];
  draw();
  for (const [id, open] of folds) {
    const fold = root.querySelector(`details[id="${CSS.escape(id)}"]`);
    if (fold) fold.open = open;
  }
  for (const [name, left, above] of scrolled) named(root, name)?.scrollTo({ left, top: above, behavior: "instant" });
  root.scrollTop = top;
  const first = seen && named(root, seen.name);
  if (first) root.scrollTop += first.getBoundingClientRect().top - root.getBoundingClientRect().top - seen.below;
  if (focus) (named(root, focus) ?? root).focus({ preventScroll: true });
  const [from, to] = ends?.map((end) => found(root, end)) ?? [];
  if (from && to) getSelection().setBaseAndExtent(from, ends[0].offset, to, ends[1].offset);
}
