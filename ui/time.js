// Moments and spans for people, in UTC or in the time of the browser.

let zone = localStorage.getItem("zone") === "local" ? undefined : "UTC";

export const isUtc = () => zone === "UTC";

export function toggleZone() {
  zone = isUtc() ? undefined : "UTC";
  localStorage.setItem("zone", isUtc() ? "utc" : "local");
}

function format(ms, options) {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return "?";
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options }).format(ms);
}

export const clock = (ms) => format(ms, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const minute = (ms) => format(ms, { hour: "2-digit", minute: "2-digit" });
export const day = (ms) => format(ms, { day: "numeric", month: "short" });
export const full = (ms) =>
  `${format(ms, { weekday: "short", day: "numeric", month: "short", year: "numeric" })}, ${clock(ms)}${isUtc() ? " UTC" : ""}`;

/** Two moments; the day is named where it is needed. */
export function range(first, last) {
  const sameDay = day(first) === day(last);
  return sameDay ? `${minute(first)} → ${minute(last)}` : `${day(first)} ${minute(first)} → ${day(last)} ${minute(last)}`;
}

/** A span in its two largest units. */
export function span(ms) {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 && minutes < 10 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
