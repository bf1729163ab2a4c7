// Moments and spans for people, in UTC or in the time of the browser.

let zone = localStorage.getItem("zone") === "local" ? undefined : "UTC";

export const isUtc = () => zone === "UTC";

export function toggleZone() {
  zone = isUtc() ? undefined : "UTC";
  localStorage.setItem("zone", isUtc() ? "utc" : "local");
}

const FORMS = {
  clock: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  minute: { hour: "2-digit", minute: "2-digit" },
  day: { day: "numeric", month: "short" },
  date: { weekday: "short", day: "numeric", month: "short", year: "numeric" },
};
/** Formatters are dear to make: one for each form and zone. */
const made = new Map();

function format(ms, form) {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return "?";
  const key = `${form} ${zone}`;
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...FORMS[form] }));
  return made.get(key).format(ms);
}

export const clock = (ms) => format(ms, "clock");
export const minute = (ms) => format(ms, "minute");
export const day = (ms) => format(ms, "day");
export const full = (ms) => `${format(ms, "date")}, ${clock(ms)}${isUtc() ? " UTC" : ""}`;

/** What the zone is called beside a field. */
export const zoneName = () => (isUtc() ? "UTC" : "local time");

/** A moment as a field of a form has it, to the minute, in the zone that is shown. */
export function inputValue(ms) {
  const shifted = isUtc() ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(shifted).toISOString().slice(0, 16);
}

/** The moment that a field of a form says. */
export const fromInput = (text) => Date.parse(isUtc() ? `${text}Z` : text);

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
