// The sign of a pinned event.

import { svg } from "./dom.js";

/** A pin, as large as its attributes say. */
export const pinMark = (more) => svg("svg", { viewBox: "0 0 12 14", class: "pin-mark", "aria-hidden": "true", ...more }, svg("path", { d: "M3.2 1h5.6v1.4l-.9.6v3l2.1 2v1.4H6.7V13L6 14l-.7-1V9.4H2V8l2.1-2V3l-.9-.6z" }));
