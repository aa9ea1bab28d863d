/* The Concierge's desk: one socket, one state, and the parts that show it. */
import { Connection } from "../site/connection.js";
import { announce, byId, fill, h, setText, span } from "../site/dom.js";
import { head, linkShown, whoAmI } from "../site/frame.js";
import { Call } from "./call.js";
import { nameOf, showCustomer, showRecap, whyOf } from "./customer.js";
import { History } from "./history.js";
import { help, listen } from "./keys.js";
import { Line } from "./line.js";
import { Preview } from "./preview.js";
import { Proposals } from "./proposals.js";
import { showRadar } from "./radar.js";
import { Texts, written } from "./texts.js";
import { Transcript } from "./transcript.js";
import { Transfer } from "./transfer.js";
import { WrapUp } from "./wrap-up.js";

const BACK_WITHIN_MS = 120_000;
const AS_BEFORE_MS = 200; // what was missed comes first

const me = await whoAmI();
head(me);
document.title = `Desk · ${me.installation}`;

const state = { agent: null, work: null, voice: null, queues: [], agents: [], dispositions: [], reasons: [], destinations: [], lostS: 10, wanted: null, lostAt: 0 };
const shownLink = linkShown({ lostS: () => state.lostS, superseded });
const connection = new Connection("/desk/socket", me.csrf, told, (how, detail = {}) => {
  if (how === "lost") state.lostAt = detail.since;
  if (how === "open" && detail.again) setTimeout(asBefore, AS_BEFORE_MS);
  shownLink(how, detail);
});
const order = (type, fields) => connection.order(type, fields);
const line = new Line(() => connection.csrf);
const transfer = new Transfer(byId("transfer"), me, order);
const openTransfer = (work) => transfer.open(work, state, state.destinations);
const call = new Call(byId("call-body"), line, { transfer: openTransfer, order });
const transcript = new Transcript(byId("transcript"), me);
const proposals = new Proposals(byId("proposals-body"), order);
const history = new History(byId("history-body"));
const wrapUp = new WrapUp(byId("wrap-up"), order);
const preview = new Preview(byId("preview"), () => connection.csrf);
const texts = new Texts({ me, state, connection, select, transfer: openTransfer, shown });
texts.title = title;

// — news —

function told(frame) {
  switch (frame.type) {
    case "snapshot": return everything(frame);
    case "queues": return queuesAre(frame);
    case "me": return agentIs(frame.agent, true);
    case "offer": return offered(frame.work);
    case "withdrawn": return withdrawn(frame);
    case "said": return said(frame);
    case "drafted": return drafted(frame);
    case "call": return callIs(frame);
    case "decided": return decided(frame);
    case "finished": return finished(frame.conversation);
    default: return texts.told(frame);
  }
}

function everything(frame) {
  Object.assign(state, { dispositions: frame.dispositions, reasons: frame.reasons, destinations: frame.destinations, numbers: frame.numbers, lostS: frame.lost_s });
  const problem = byId("problem");
  problem.hidden = !frame.problem;
  setText(problem, frame.problem ? `The queues do not know you: ${frame.problem}` : "");
  const away = byId("away");
  fill(away, h("option", { value: "" }, "Away…"), state.reasons.map((reason) => h("option", { value: reason }, `Away: ${reason}`)));
  queuesAre(JSON.parse(frame.outline));
  agentIs(frame.agent);
  const before = state.work?.bundle.conversation_id;
  state.voice = frame.work;
  texts.are(frame.texts);
  state.work = texts.of(before) ?? state.voice ?? texts.all[0] ?? null;
  showWork();
  if (frame.work?.call === "offered") shown(frame.work.bundle.handoff_id);
}

/* After a restart of the server, or after the queues have signed us out: as it was, if that was a moment ago. */
function asBefore() {
  const soon = Date.now() - state.lostAt < BACK_WITHIN_MS;
  if (soon && state.wanted === "available" && state.agent?.state === "away") setState("available", "");
}

function queuesAre({ queues, agents }) {
  Object.assign(state, { queues, agents });
  showQueues();
}

function agentIs(agent, news = false) {
  const before = state.agent?.state;
  state.agent = agent;
  const now = agent?.state ?? "offline";
  // Whoever set it: the agent, a supervisor, or the queues since nobody answered.
  if (news && (now === "available" || (now === "away" && before !== "offline"))) state.wanted = now;
  byId("available").setAttribute("aria-pressed", String(now === "available"));
  const away = byId("away");
  away.classList.toggle("on", now === "away");
  away.value = now === "away" && state.reasons.includes(agent.reason) ? agent.reason : "";
  if (before !== undefined && before !== now) announce(`You are ${now}${agent?.reason ? `, ${agent.reason}` : ""}.`, now === "away" && before === "ringing");
  showMine();
  preview.show(now === "available" || now === "away");
  wrapUp.show(state.voice, agent, state.dispositions);
  if (!state.work) showWork();
}

/* One of the agent's conversations, or nothing. */
function select(work) {
  state.work = work;
  showWork();
}

function offered(work) {
  state.work = state.voice = work;
  document.body.dataset.tab = "talk";
  showWork();
  byId("transfer").close();
  announce(`${nameOf(work.bundle)} ${whyOf(work.bundle)}. ${work.bundle.recap.wants} ${work.bundle.recap.tried} ${work.bundle.recap.stands}`, true);
  shown(work.bundle.handoff_id);
}

/* Said once the bundle has been painted; a page in the background paints nothing, and has it all the same. */
function shown(handoff) {
  const say = () => connection.ready && connection.say({ type: "shown", handoff });
  if (document.hidden) setTimeout(say);
  else {
    const late = setTimeout(say, 500);
    requestAnimationFrame(() => requestAnimationFrame(() => { clearTimeout(late); say(); }));
  }
}

function withdrawn({ handoff, why }) {
  if (state.voice?.bundle.handoff_id !== handoff) return;
  leave();
  announce(`It is no longer yours: ${why}.`, true);
}

function said({ conversation, line: words }) {
  if (state.voice?.bundle.conversation_id !== conversation) return;
  state.voice.lines.push(words);
  if (state.work !== state.voice) return;
  transcript.add(words);
  if (words.score !== null) showRadar(byId("radar-body"), state.work);
}

function drafted({ conversation, who, text }) {
  if (state.work?.bundle.conversation_id === conversation) transcript.draft(who, text);
}

function callIs({ conversation, state: now, detail }) {
  if (state.voice?.bundle.conversation_id !== conversation) return;
  state.voice.call = now;
  state.voice.detail = detail;
  if (now === "ended") byId("transfer").close();
  wrapUp.show(state.voice, state.agent, state.dispositions);
  texts.list();
  if (state.work !== state.voice) return;
  document.body.dataset.work = now;
  call.show(state.work);
  title();
}

function decided({ conversation, approval, verdict, text }) {
  const work = state.voice?.bundle.conversation_id === conversation ? state.voice : texts.of(conversation);
  if (!work) return;
  work.results.push({ approval, verdict, text });
  if (work === state.work) proposals.show(work);
  announce(text, true);
}

function finished(conversation) {
  if (state.voice?.bundle.conversation_id !== conversation) return;
  leave();
  byId("available").focus();
}

/* The call is nobody's business here any more. */
function leave() {
  const shown = state.work === state.voice;
  state.voice = null;
  if (shown) state.work = texts.all[0] ?? null;
  wrapUp.show(null, state.agent, state.dispositions);
  showWork();
}

// — what is shown —

function showWork() {
  const { work } = state;
  document.body.dataset.work = work?.call ?? "none";
  document.body.dataset.text = written(work) ? work.call : "";
  showCall();
  texts.list();
  showRadar(byId("radar-body"), work);
  showRecap(byId("recap"), work);
  byId("recap").hidden = !work;
  if (written(work)) texts.show(work);
  else { texts.hide(); transcript.show(work, idle()); }
  showCustomer(byId("customer-body"), work);
  proposals.show(work);
  history.show(work);
  wrapUp.show(state.voice, state.agent, state.dispositions);
  title();
}

/* A telephone that rings comes before what is written. */
function showCall() {
  const text = written(state.work) && !call.ringing && !call.talking;
  setText(byId("call-title"), text ? "This conversation" : "Call");
  if (text) texts.controls(byId("call-body"), state.work);
  else call.show(written(state.work) ? state.voice : state.work);
}

function idle() {
  const now = state.agent?.state ?? "offline";
  const waiting = state.queues.some((queue) => queue.waiting && state.agent?.queues.includes(queue.name));
  const [words, more] = now === "available" ? ["You are available", waiting ? "The next customer is on their way to you." : "Nobody is waiting. The next conversation comes here by itself."]
    : now === "away" ? ["You are away", "Press V, or “Available”, when you are ready."]
      : now === "wrap-up" ? ["Nearly done", "Finish the wrap-up, or wait for its end."] : ["You are not signed in at the queues", ""];
  return h("div", { className: "quiet" }, h("strong", {}, words), h("p", {}, more));
}

function showQueues() {
  fill(byId("queues-body"), state.queues.length ? state.queues.map((queue) => h("div", { className: "queue" },
    h("strong", {}, queue.name), h("span", { className: `tag number ${queue.waiting ? "warn" : ""}` }, queue.open ? `${queue.waiting} waiting` : "closed"),
    h("span", { className: "soft number" }, [`${queue.available} available`, queue.since ? `longest since ${new Date(queue.since * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}` : "", queue.service_level === null ? "" : `service level ${Math.round(queue.service_level * 100)} %`].filter(Boolean).join(" · ")))) : h("p", { className: "soft" }, "There are no queues."));
  if (!state.work && connection.ready) transcript.show(null, idle());
}

function showMine() {
  const { agent } = state;
  setText(byId("mine"), agent ? `${agent.state}${agent.reason ? `, ${agent.reason}` : ""} ${span(Date.now() / 1000 - agent.since)}` : "");
}

function title() {
  const { work } = state;
  const unread = texts.unread || texts.offered.length ? `(${texts.unread + texts.offered.length}) ` : "";
  const mark = !work ? "" : written(work) ? `${nameOf(work.bundle)} · ` : work.call === "ringing" || work.call === "offered" ? `☎ ${nameOf(work.bundle)} · ` : work.call === "ended" ? "wrap-up · " : `${nameOf(work.bundle)} · `;
  document.title = `${unread}${mark}Desk · ${me.installation}`;
}

// — what is asked —

async function setState(now, reason) {
  try {
    state.wanted = now;
    await order("state", { state: now, reason });
  } catch (error) {
    announce(error.message, true);
    const problem = byId("problem");
    problem.hidden = false;
    setText(problem, error.message);
    agentIs(state.agent);
  }
}

function superseded() {
  line.phone.disconnect();
  const dialog = byId("elsewhere");
  fill(dialog, h("h2", { id: "elsewhere-title" }, "Your desk is open in another window"), h("p", {}, "Conversations come there. This window is asleep."),
    h("form", { className: "row", onsubmit: (event) => { event.preventDefault(); location.reload(); } }, h("button", { className: "primary" }, "Work here instead")));
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  if (!dialog.open) dialog.showModal();
}

byId("available").addEventListener("click", () => setState("available", ""));
byId("away").addEventListener("change", (event) => event.target.value && setState("away", event.target.value));
byId("help-open").addEventListener("click", () => help(byId("help")));
for (const tab of document.querySelectorAll(".tabs button")) {
  tab.addEventListener("click", () => {
    document.body.dataset.tab = tab.dataset.tab;
    for (const other of document.querySelectorAll(".tabs button")) other.setAttribute("aria-pressed", String(other === tab));
  });
}
const go = (tab, id) => () => { document.body.dataset.tab = tab; byId(id).focus(); };
const onCall = (act) => () => state.work && !written(state.work) && act();
const onText = (act, otherwise) => () => (written(state.work) ? state.work.call === "talking" && act(state.work) : otherwise());
listen({
  V: () => setState("available", ""), W: () => { byId("away").focus(); byId("away").showPicker?.(); }, A: () => (call.ringing ? call.answer() : texts.take()), X: onText((work) => texts.finish(work), () => call.hangUp()),
  R: () => texts.composer.focus(),
  H: onCall(() => call.hold()), M: onCall(() => call.mute()), K: onCall(() => call.toggle()), T: () => state.work && openTransfer(state.work), B: onText((work) => texts.back(work), onCall(() => call.back(state.work))),
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => [String(number), () => texts.nth(number)])),
  C: go("talk", "talk"), U: go("customer", "customer"), P: go("proposals", "proposals"), L: go("history", "history"), N: () => byId("note")?.focus(), "?": () => help(byId("help")),
});
line.addEventListener("changed", () => {
  document.body.dataset.phone = line.phone.state;
  showCall();
});
line.connect();
setInterval(showMine, 1_000);
showWork();
addEventListener("beforeunload", (event) => { if (["talking", "held", "consulting", "conference"].includes(state.voice?.call)) event.preventDefault(); });
