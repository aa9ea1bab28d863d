const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  chat: ["M4 5h16v11H9l-5 4z"],
  close: ["M6 6l12 12M18 6L6 18"],
  send: ["M4 12l16-7-6 15-3-6z"],
  clock: ["M12 8v4l3 2", "M12 4a8 8 0 1 0 .01 0"],
  sent: ["M5 12.5l5 5L20 7"],
  read: ["M2 12.5l5 5L17 7", "M12 16.5l1 1L23 7"],
  warn: ["M12 4l9 16H3z", "M12 10v4M12 17v.5"],
  down: ["M12 5v14M6 13l6 6 6-6"],
};

/** An element. Text is only ever set as text: nothing here, and nothing that uses it, makes markup from a string. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", class: `icon icon-${name}` })) {
    svg.setAttribute(key, value);
  }
  for (const d of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** A text for screen readers alone. */
const aside = (text) => el("span", { class: "aside" }, text);

/** A message's text as nodes: web addresses become links, everything else stays text. */
function textNodes(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"'`]+/gi)) {
    let shown = match[0].replace(/[.,;:!?\]}]+$/, "");
    while (shown.endsWith(")") && shown.split(")").length > shown.split("(").length) shown = shown.slice(0, -1);
    const href = webAddress(shown);
    if (!href) continue;
    nodes.push(text.slice(end, match.index));
    const safe = { target: "_blank", rel: "noopener noreferrer nofollow" };
    nodes.push(el("a", { href, title: word("new_tab"), ...safe }, shown));
    end = match.index + shown.length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

/** The address as the browser reads it; "" for all but http(s), and for those that hide another host behind "@". */
function webAddress(text) {
  try {
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) && !url.username && !url.password ? url.href : "";
  } catch {
    return "";
  }
}

const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const fullDay = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

function dayName(at) {
  const days = (date) => Math.round(new Date(date).setHours(0, 0, 0, 0) / 864e5);
  const ago = days(Date.now()) - days(at * 1000);
  if (ago === 0) return word("today");
  return ago === 1 ? word("yesterday") : fullDay.format(at * 1000);
}

/** A message of either side. `state`: "sending", "sent" or "read", for the customer's own. */
function bubble({ side, text, at }, state = "") {
  const date = new Date(at * 1000);
  const time = el("time", { datetime: date.toISOString(), title: fullTime.format(date) }, clockTime.format(date));
  const meta = el("div", { class: "meta" }, time);
  const node = el(
    "div",
    { class: `message ${side}`, dir: "auto" },
    aside(`${word(side === "agent" ? "agent" : "you")}: `),
    el("div", { class: "text", dir: "auto" }, ...textNodes(text)),
    meta,
  );
  if (side === "customer") meta.append(tick(state));
  return node;
}

function tick(state) {
  const name = { sending: "clock", sent: "sent", read: "read" }[state];
  return el("span", { class: `tick ${state}`, title: word(state) }, icon(name), aside(word(state)));
}
