/* The supervisor's board: everything at this moment, and what can be done about it. */
import { Connection } from "../site/connection.js";
import { addressed, announce, byId, clockTime, fill, h, moodClass, moodWord, setText, span } from "../site/dom.js";
import { head, linkShown, whoAmI } from "../site/frame.js";
import { Line } from "../desk/line.js";
import { Outside } from "./outside.js";

const me = await whoAmI();
document.title = `Board · ${me.installation}`;
const line = new Line(() => connection.csrf);
head(me);
const state = { board: null, reasons: [], numbers: false, follows: "", with: "", mode: "", lines: [], bundle: null };
const connection = new Connection("/board/socket", me.csrf, told, linkShown({ lostS: () => Infinity, superseded: () => {} }));
// Who was sent is about to leave the list: the focus does not go with them.
const outside = new Outside(byId("outside"), (type, fields) => connection.order(type, fields), (one, sent) =>
  ((!sent && document.querySelector(`[data-key="${CSS.escape(`reroute ${one.handoff_id}`)}"]`)) || byId("waiting")).focus());

function told(frame) {
  if (frame.type === "snapshot") {
    Object.assign(state, { reasons: frame.reasons, numbers: frame.numbers });
    boardIs(frame.board);
    if (state.follows) quietly(ask("follow", { conversation: state.follows }));
  } else if (frame.type === "board") boardIs(frame.board);
  else if (frame.type === "bundle" && frame.bundle.conversation_id === state.follows) {
    Object.assign(state, { bundle: frame.bundle, lines: frame.bundle.transcript.slice(-99) });
    showHeard();
  } else if (frame.type === "said" && frame.conversation === state.follows) {
    state.lines = [...state.lines.slice(-99), frame.line];
    showHeard();
  }
}

async function ask(type, fields) {
  const problem = byId("problem");
  problem.hidden = true;
  try {
    await connection.order(type, fields);
  } catch (error) {
    setText(problem, error.message);
    problem.hidden = false;
    throw error;
  }
}

const quietly = (promise) => promise.catch(() => {});
const NUMBER = "+"; // no queue is called so
const age = (since) => h("time", { className: "number", data: { since } }, span(Date.now() / 1000 - since));
const percent = (share) => (share === null ? "–" : `${Math.round(share * 100)} %`);
const button = (label, key, act, kind = {}) => h("button", { type: "button", data: { key }, onclick: act, ...kind }, label);

function boardIs(board) {
  state.board = board;
  const waiting = board.queues.flatMap((queue) => queue.waiting);
  const answered = board.queues.reduce((sum, queue) => sum + queue.answered, 0);
  const within = board.queues.reduce((sum, queue) => sum + queue.within_target, 0);
  const texts = [sum(board.queues, "texts_waiting"), sum(board.queues, "texts_in_hand")];
  const longest = waiting.length ? board.at - Math.min(...waiting.map((one) => one.since)) : 0;
  const upset = board.calls.filter((one) => one.score !== null && moodWord(one.score) === "upset").length;
  const figures = [
    ["Waiting", waiting.length, waiting.length ? "warn" : ""], ["Texts waiting", texts[0], texts[0] ? "warn" : ""], ["Texts in hand", texts[1], ""], ["Longest wait", span(longest), longest > 60 ? "bad" : ""],
    ["Service level", percent(answered ? within / answered : null), answered && within / answered < 0.8 ? "bad" : answered ? "good" : ""],
    ["Conversations", board.calls.length, ""], ["Upset", upset, upset ? "bad" : ""],
    ["Available", board.agents.filter((one) => one.state === "available").length, ""], ["Abandoned", board.queues.reduce((sum, queue) => sum + queue.abandoned, 0), ""],
  ];
  fill(byId("figures"), figures.map(([name, value, kind]) => h("div", { className: `figure ${kind}` }, h("span", { className: "soft" }, name), h("b", { className: "number" }, String(value)))));
  fill(byId("queues-body"), table(["Queue", "Waiting", "Available", "Expected", "Answered", "Abandoned", "Service level"], board.queues.map((queue) => [
    [queue.name, queue.open ? "" : " ", !queue.open && h("span", { className: "tag" }, "closed")], num(queue.waiting.length), num(queue.available), num(queue.expected_wait_s === null ? "–" : span(queue.expected_wait_s)), num(queue.answered), num(queue.abandoned), num(percent(queue.service_level)),
  ]), "There are no queues."));
  fill(byId("waiting-body"), table(["Customer", "Queue", "Waits", "Priority", "Move to"], waiting.map((one) => [
    [h("bdi", {}, addressed(one.customer)), " ", one.callback && h("span", { className: "tag" }, "call back"), one.channel !== "voice" && h("span", { className: "tag" }, one.channel), one.ringing && h("span", { className: "tag accent" }, `${one.channel === "voice" ? "rings at" : "offered to"} ${one.ringing}`)], one.queue, age(one.since), num(one.priority.toFixed(1)),
    choice(`reroute ${one.handoff_id}`, `Move ${addressed(one.customer)} to`, "Move…", [
      ...board.queues.filter((queue) => queue.name !== one.queue).map((queue) => [queue.name, queue.name]),
      ...(state.numbers && one.channel === "voice" && !one.callback ? [[NUMBER, "A telephone number…"]] : []),
    ], (to) => (to === NUMBER ? outside.open(one) : quietly(ask("reroute", { handoff: one.handoff_id, queue: to })))),
  ]), "Nobody is waiting."));
  fill(byId("calls-body"), table(["Customer", "With", "State", "For", "Seems", "Take part"], board.calls.map(call), "There are no conversations."));
  fill(byId("agents-body"), table(["Agent", "State", "For", "Skills", "Set"], board.agents.map((agent) => [
    [agent.name, h("div", { className: "soft" }, agent.queues.join(", "))], [h("span", { className: `tag ${{ available: "good", "on call": "accent", ringing: "warn" }[agent.state] ?? ""}` }, agent.state), agent.reason && ` ${agent.reason}`, agent.texts?.length ? h("span", { className: "tag" }, `${agent.texts.length} of ${agent.texts_most} texts`) : null], age(agent.since),
    Object.entries(agent.skills).map(([name, level]) => `${name} ${level}`).join(", "),
    choice(`force ${agent.login}`, `Set ${agent.name} to`, "Set…", [["available", "available"], ["away", "away"], ["offline", "signed out"]], (to) => quietly(ask("force", { login: agent.login, state: to, reason: to === "away" ? "supervisor" : "" }))),
  ]), "There are no agents."));
  showHeard();
}

function call(one) {
  const id = one.conversation_id;
  const mode = (name, label) => button(label, `${name} ${id}`, () => supervise(id, state.with === id && state.mode === name ? null : name), { "aria-pressed": String(state.with === id && state.mode === name), disabled: one.channel !== "voice" });
  return [
    h("bdi", {}, addressed(one.customer)), [one.who === "butler" ? "Butler (AI)" : one.who, one.queue && h("div", { className: "soft" }, one.queue)], [one.state, h("div", { className: "soft" }, one.channel)], age(one.since),
    one.score === null ? "–" : h("span", { className: `tag ${moodClass(one.score)}` }, `${moodWord(one.score)} ${one.score.toFixed(2)}`),
    h("div", { className: "row" }, mode("listen", "Listen"), mode("whisper", "Whisper"), mode("barge", "Barge in"), button("Read", `read ${id}`, () => follow(id), { "aria-pressed": String(state.follows === id) })),
  ];
}

async function supervise(conversation, mode) {
  const before = { with: state.with, mode: state.mode };
  // Known before it rings here: the ring may be faster than the answer.
  Object.assign(state, { with: mode ? conversation : "", mode: mode ?? "" });
  try {
    await ask("supervise", { conversation, mode });
  } catch {
    Object.assign(state, before);
    return;
  }
  announce(mode ? `You ${mode === "barge" ? "barge in" : mode}.` : "You take no part any more.");
  if (!mode) line.phone.hangup();
  boardIs(state.board);
}

async function follow(conversation) {
  const next = state.follows === conversation ? "" : conversation;
  Object.assign(state, { follows: next, lines: [], bundle: null });
  await quietly(ask("follow", { conversation: next }));
  boardIs(state.board);
}

function showHeard() {
  const of = state.board?.calls.find((one) => one.conversation_id === state.follows);
  fill(byId("heard-body"), !state.follows ? h("p", { className: "soft" }, "Choose “Read” at a conversation: what it is about and what is said are here.") : [
    h("p", { className: "soft" }, of ? `With ${addressed(of.customer)}` : "It has ended."),
    state.bundle && about(state.bundle, of?.score ?? null),
    state.lines.map((one) => h("p", {}, h("span", { className: "soft number" }, `${clockTime(one.at)} `), h("b", {}, h("bdi", {}, one.who === "butler" ? "Butler (AI)" : one.who)), ": ", h("bdi", {}, one.text))),
  ]);
}

/* Who it is, and where it stands: what an agent would be shown. */
function about({ customer, context, recap, sentiment }, now) {
  const score = now ?? sentiment.at(-1)?.[1] ?? null;
  return h("div", { className: "about" },
    h("p", {}, customer && h("b", {}, h("bdi", {}, `${customer.first_name} ${customer.last_name}`.trim())), context?.profile?.tier && ` ${context.profile.tier}`, " ", score !== null && h("span", { className: `tag ${moodClass(score)}` }, moodWord(score))),
    h("ul", {}, [recap.wants, recap.tried, recap.stands].map((bullet) => h("li", {}, h("bdi", {}, bullet)))));
}

const sum = (queues, name) => queues.reduce((total, queue) => total + (queue[name] ?? 0), 0);
const num = (value) => h("span", { className: "number" }, String(value));

function choice(key, label, first, options, chosen) {
  // Whatever is chosen is done at once, so a key only opens the list: closed, it would take the next entry.
  const opens = (event) => {
    if (!select.showPicker || event.ctrlKey || event.metaKey || !/^(Arrow(Up|Down|Left|Right)|Home|End|Page(Up|Down)|[^ ])$/.test(event.key)) return;
    event.preventDefault();
    select.showPicker();
  };
  const select = h("select", { data: { key }, "aria-label": label, onkeydown: opens, onchange: () => { const { value } = select; select.value = ""; if (value) chosen(value); } },
    h("option", { value: "" }, first), options.map(([value, name]) => h("option", { value }, name)));
  return select;
}

function table(heads, rows, none) {
  if (!rows.length) return h("p", { className: "empty" }, none);
  return h("table", {}, h("thead", {}, h("tr", {}, heads.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell) => h("td", {}, cell))))));
}

// The supervisor's own phone is this page: what it is asked to take part in is answered at once.
line.addEventListener("changed", (event) => {
  if (event.detail === "ringing" && state.with) line.phone.answer();
  if (event.detail === "ended") { Object.assign(state, { with: "", mode: "" }); if (state.board) boardIs(state.board); }
  if (line.trouble) { setText(byId("problem"), line.trouble); byId("problem").hidden = false; }
});
line.connect();
setInterval(() => { for (const node of document.querySelectorAll("time[data-since]")) setText(node, span(Date.now() / 1000 - node.dataset.since)); }, 1_000);
