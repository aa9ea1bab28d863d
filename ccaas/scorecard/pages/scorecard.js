/* The scorecard: figures of a span of days, and for each of them what it counts. */
import { announce, byId, fill, h, moodClass, moodWord, svg } from "/static/site/dom.js";
import { head, whoAmI } from "/static/site/frame.js";

const NONE = "–";
const HEADLINE = [
  { names: ["jcr"], trend: "jcr" },
  { names: ["prr"], trend: "prr" },
  { names: ["value_ai", "value_human"], title: "Value Density", labels: ["AI", "human"], meaning: "Value of what was completed ÷ conversations: of those that the AI had alone, and of those with a person." },
  { names: ["service_level"], trend: "service_level" },
  { names: ["felt_first", "felt_last"], title: "Feeling", labels: ["start", "end"], meaning: "How upset customers seemed at first and at last, on average: −1 pleased, +1 furious." },
  { names: ["latency_p95"], trend: "latency_p95" },
];
const APART = ["contained", "deflected", "abandoned"];
const WRITTEN = {
  count: (figure) => figure.toLocaleString(),
  share: (figure) => `${(100 * figure).toFixed(1)} %`,
  money: (figure) => figure.toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
  ms: (figure) => `${Math.round(figure).toLocaleString()} ms`,
  score: (figure) => `${figure > 0 ? "+" : ""}${figure.toFixed(2)}`,
};
/* Days are the business's, so times are too. */
let moment = null;
const when = (at) => (at ? moment.format(at * 1000) : "");
const yes = (value) => (value ? "yes" : "");
const mood = (score) => (score === null ? "" : h("span", { className: `tag ${moodClass(score)}` }, `${moodWord(score)} ${WRITTEN.score(score)}`));

/* What is shown of the rows behind a figure, by what they are. */
const COLUMNS = {
  interactions: [
    ["Began", (row) => when(row.began)], ["Channel", (row) => row.channel], ["Intent", (row) => row.intent || NONE],
    ["Queue", (row) => row.queue || NONE], ["With", (row) => (row.human ? "a person" : "the AI")],
    ["Completed", (row) => yes(row.completed)], ["Value", (row) => (row.completed ? WRITTEN.money(row.value) : "")],
    ["Start", (row) => mood(row.felt_first)], ["End", (row) => mood(row.felt_last)], ["Conversation", (row) => row.id],
  ],
  latencies: [["Answer after", (row) => WRITTEN.ms(row.ms)], ["Intent", (row) => row.intent || NONE], ["Conversation", (row) => row.id]],
  waits: [
    ["Since", (row) => when(row.since)], ["Queue", (row) => row.queue],
    ["Waited", (row) => `${Math.round((row.answered_at || row.over) - row.since)} s`],
    ["Answered", (row) => yes(row.answered_at)], ["Conversation", (row) => row.id],
  ],
  incidents: [
    ["Happened", (row) => when(row.at)], ["What", (row) => row.kind], ["Came to", (row) => row.resolution],
    ["By", (row) => row.by], ["Attempts", (row) => row.attempts], ["Contacted us", (row) => when(row.called_us)],
    ["Customer", (row) => row.customer_id], ["Incident", (row) => row.id],
  ],
};
const sourceOf = (row) => ("ms" in row ? "latencies" : "answered_at" in row ? "waits" : "resolution" in row ? "incidents" : "interactions");

const form = byId("span");
let card = null;
let asked = 0;

function query(more = {}) {
  const given = new FormData(form);
  return new URLSearchParams({ from: given.get("from"), to: given.get("to"), by: given.get("by"), ...more });
}

async function get(path) {
  const answer = await fetch(path);
  if (answer.status === 401) location.assign("/sign-in?next=/scorecard");
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

function trouble(text) {
  byId("problem").textContent = text;
  byId("problem").hidden = !text;
}

const measure = (name) => card.measures.find((one) => one.name === name);
const shown = (one, figure) => (figure === null || figure === undefined ? NONE : WRITTEN[one.unit](figure));

function opener(name, key, figure) {
  const one = measure(name);
  const text = shown(one, figure);
  if (text === NONE) return h("span", { className: "soft" }, NONE);
  const where = key === null ? "in all" : key || "without one";
  return h("button", {
    type: "button", title: one.meaning, "aria-label": `${one.title}, ${where}: ${text}. Show what it counts`,
    data: { key: `${name} ${key}` }, onclick: (event) => behind(one, key, event.currentTarget),
  }, text);
}

function spark(name) {
  const values = card.rows.map((row) => row.figures[name] ?? null);
  const known = values.filter((value) => value !== null);
  if (card.by !== "day" || known.length < 2) return null;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (index) => (100 * index) / (values.length - 1);
  const y = (value) => (high === low ? 15 : 28 - (26 * (value - low)) / (high - low));
  let path = "";
  values.forEach((value, index) => {
    if (value !== null) path += `${path && values[index - 1] !== null ? "L" : "M"}${x(index)} ${y(value)}`;
  });
  return svg("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("path", { d: path }));
}

function render() {
  const total = card.total;
  fill(byId("headline"), HEADLINE.map(({ names, title, labels, trend, meaning }) => {
    const figures = labels
      ? h("div", { className: "pair" }, names.map((name, index) => h("div", {}, opener(name, null, total[name]), h("span", {}, labels[index]))))
      : opener(names[0], null, total[names[0]]);
    return h("article", { className: "figure" }, h("h2", {}, title ?? measure(names[0]).title), figures, trend ? spark(trend) : null, h("p", {}, meaning ?? measure(names[0]).meaning));
  }));
  fill(byId("apart-body"), APART.map((name) => h("div", { title: measure(name).meaning }, h("span", { className: "soft" }, measure(name).title), opener(name, null, total[name]))));
  const line = (title, key, figures) => h("tr", {}, h("th", { scope: "row" }, title), card.measures.map((one) => h("td", {}, opener(one.name, key, figures[one.name]))));
  fill(byId("table-body"), h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, { day: "Day", queue: "Queue", intent: "Intent" }[card.by]), card.measures.map((one) => h("th", { scope: "col", title: one.meaning }, one.title)))),
    h("tbody", {}, line("All", null, total), card.rows.map((row) => line(row.key || "(none)", row.key, row.figures)))));
  byId("csv").href = `/scorecard.csv?${query()}`;
}

async function load() {
  const mine = ++asked;
  try {
    const got = await get(`/scorecard.json?${query()}`);
    if (mine !== asked) return;
    card = got;
    moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: card.timezone });
    form.elements.from.value = card.from;
    form.elements.to.value = card.to;
    trouble("");
    close();
    render();
    history.replaceState(null, "", `?${query()}`);
    announce(`Scorecard of ${card.from} to ${card.to}`);
  } catch (error) {
    if (mine === asked) trouble(error.message || "The figures could not be fetched. Try again.");
  }
}

let opened = null;

function close() {
  byId("behind").hidden = true;
  opened?.setAttribute("aria-pressed", "false");
  opened?.focus();
  opened = null;
}

async function behind(one, key, from) {
  try {
    const more = { measure: one.name, ...(key === null ? {} : { key }) };
    const { rows } = await get(`/scorecard/behind?${query(more)}`);
    opened?.setAttribute("aria-pressed", "false");
    opened = from;
    opened.setAttribute("aria-pressed", "true");
    byId("behind-title").textContent = `${one.title}${key === null ? "" : `, ${key || "(none)"}`}: ${rows.length === 500 ? "the newest 500" : rows.length}`;
    byId("behind-meaning").textContent = one.meaning;
    const columns = rows.length ? COLUMNS[sourceOf(rows[0])] : [];
    fill(byId("behind-body"), rows.length
      ? h("table", {}, h("thead", {}, h("tr", {}, columns.map(([title]) => h("th", { scope: "col" }, title)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, columns.map(([, text]) => h("td", {}, text(row)))))))
      : h("p", { className: "soft" }, "Nothing."));
    byId("behind").hidden = false;
    byId("behind").focus();
    byId("behind").scrollIntoView({ block: "nearest" });
    trouble("");
  } catch (error) {
    trouble(error.message || "The list could not be fetched. Try again.");
  }
}

byId("close").addEventListener("click", close);
addEventListener("keydown", (event) => event.key === "Escape" && !byId("behind").hidden && close());
form.addEventListener("change", () => form.reportValidity() && load());
form.addEventListener("submit", (event) => event.preventDefault());

head(await whoAmI());
const wanted = new URLSearchParams(location.search);
for (const name of ["from", "to"]) form.elements[name].value = wanted.get(name) ?? "";
if (["queue", "intent"].includes(wanted.get("by"))) form.elements.by.value = wanted.get("by");
load();
