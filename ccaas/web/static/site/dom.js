/* Building nodes. Whatever customers are called or write is text, never markup: there is no innerHTML on this site. */

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.flat());
  return node;
}

/* An address as people say it: a telephone of the caller's page has none that tells anybody anything. */
export const addressed = (address) => (/^guest[0-9a-f]{16}(@|$)/.test(address ?? "") ? "A caller from our page" : address);

export const byId = (id) => document.getElementById(id);

/* Replaces the children and leaves the focus where it was, if what had it is still there under the same data-key. */
export function fill(parent, ...children) {
  const key = parent.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  parent.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (key) [...parent.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key)?.focus();
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/* Seconds as 4:05 or 1:02:03. */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
export const clockTime = (at) => clock.format(at * 1000);
export const hourTime = (at) => hour.format(at * 1000);
export const dayOf = (at) => day.format(at * 1000);

/* Some words for polite or urgent reading aloud. */
export function announce(text, urgent = false) {
  const node = byId(urgent ? "alarm" : "said");
  node.textContent = "";
  // The same words again are read again.
  requestAnimationFrame(() => { node.textContent = text; });
}

export const moodWord = (score) =>
  score < -0.3 ? "pleased" : score < 0.3 ? "calm" : score < 0.55 ? "annoyed" : "upset";
export const moodClass = (score) => ({ pleased: "good", calm: "", annoyed: "warn", upset: "bad" })[moodWord(score)];
