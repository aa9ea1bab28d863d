/* The agent's conversations, calls and texts together; and what can be done with a text. */
import { announce, byId, fill, h, hourTime, setText, span } from "../site/dom.js";
import { Composer } from "./composer.js";
import { nameOf, whyOf } from "./customer.js";
import { Finish } from "./finish.js";
import { Thread } from "./thread.js";

const CHANNELS = { chat: "Chat", sms: "SMS", email: "E-mail", voice: "Call" };
const CALL_STATES = { offered: "comes", ringing: "rings", ended: "to be wrapped up" };

export const written = (work) => ["chat", "sms", "email"].includes(work?.bundle.channel);

export class Texts {
  /* `select(work)` shows one of them; `state` is the page's. */
  constructor({ me, state, connection, select, transfer, shown, decided }) {
    Object.assign(this, { me, state, connection, select, transfer, shown, decided });
    this.works = new Map();
    this.order = (type, fields) => connection.order(type, fields);
    const say = (frame) => { if (connection.ready) connection.say(frame); };
    this.say = say;
    this.thread = new Thread(byId("transcript"), me, (work, message) => this.ask(work, "again", { message }));
    this.composer = new Composer(byId("composer"), { order: this.order, say });
    this.finishing = new Finish(byId("finish"), this.order);
    this.problem = "";
    document.addEventListener("visibilitychange", () => this.read());
    setInterval(() => this.tick(), 1_000);
  }

  get all() { return [...this.works.values()]; }
  get unread() { return this.all.reduce((sum, work) => sum + work.unread, 0); }
  get offered() { return this.all.filter((work) => work.call === "offered"); }
  of(conversation) { return this.works.get(conversation) ?? null; }

  /* Everything anew. */
  are(works) {
    this.works = new Map(works.map((work) => [work.bundle.conversation_id, work]));
    for (const work of this.offered) this.shown(work.bundle.handoff_id);
  }

  // — news —

  told(frame) {
    if (frame.type === "text") return this.comes(frame.work);
    const work = this.of(frame.conversation);
    if (!work) return;
    const here = this.state.work === work;
    switch (frame.type) {
      case "text_gone": return this.goes(work, frame.why);
      case "text_said": {
        work.lines.push(frame.line);
        work.unread = frame.unread;
        if (frame.line.who === "customer") work.typing = false;
        if (here) { this.thread.add(frame.line); this.thread.types(); this.read(); }
        else if (frame.line.who === "customer") announce(`${nameOf(work.bundle)} has written.`);
        break;
      }
      case "text_is":
        work.call = frame.state;
        if (here) this.select(work);
        break;
      case "text_sent":
        work.sent[frame.message] = { state: frame.state, detail: frame.detail };
        if (here) this.thread.sent(frame.message, true);
        return;
      case "text_typing":
        work.typing = frame.on;
        if (here) this.thread.types();
        return;
      case "text_closed":
        work.closed = frame.why;
        if (here) { this.composer.show(work); if (frame.why) announce(frame.why, true); }
        break;
      case "text_unread":
        work.unread = frame.unread;
        break;
    }
    this.list();
  }

  comes(work) {
    this.works.set(work.bundle.conversation_id, work);
    const { bundle } = work;
    announce(`${nameOf(bundle)} ${whyOf(bundle)}, by ${CHANNELS[bundle.channel]}. ${bundle.recap.wants} Press A to take it.`, true);
    if (!this.state.work) this.select(work);
    this.list();
    byId("conversations-body").querySelector(".offered")?.scrollIntoView({ block: "nearest" });
    this.shown(bundle.handoff_id);
  }

  goes(work, why) {
    this.works.delete(work.bundle.conversation_id);
    this.composer.forget(work.bundle.conversation_id);
    if (byId("finish").open && this.finishing.work === work) byId("finish").close();
    announce(`${nameOf(work.bundle)}: ${why}.`, work.call === "offered");
    if (this.state.work === work) this.select(this.state.voice ?? this.all[0] ?? null);
    this.list();
  }

  // — what is shown —

  list() {
    const { voice } = this.state;
    const all = [...(voice ? [voice] : []), ...this.all];
    byId("mine-list").hidden = !this.works.size; // a lone call has its own place
    setText(byId("conversations-title"), this.unread ? `My conversations, ${this.unread} unread` : "My conversations");
    fill(byId("conversations-body"), this.works.size > 0 && h("ul", { className: "mine" }, all.map((work, number) => this.item(work, number + 1))));
    this.title?.();
  }

  item(work, number) {
    const { bundle } = work;
    const id = bundle.conversation_id;
    const text = written(work);
    const last = text ? work.lines.findLast((line) => line.who !== "butler") ?? work.lines.at(-1) : null;
    const told = !text ? CALL_STATES[work.call] ?? "you talk" : work.call === "offered" ? bundle.recap.wants : `${last?.who === "customer" ? "" : "You: "}${last?.text ?? ""}`;
    return h("li", { className: work.call === "offered" ? "offered" : "" },
      h("button", { type: "button", className: "open", "aria-current": this.state.work === work ? "true" : null, data: { key: `open ${id}` }, onclick: () => this.open(work) },
        h("span", { className: "row apart" }, h("strong", {}, h("bdi", {}, nameOf(bundle))), h("span", { className: "row" },
          text && work.unread ? h("span", { className: "unread number" }, String(work.unread), h("span", { className: "unseen" }, " unread")) : null,
          last && h("time", { className: "soft number" }, hourTime(last.at)), number < 10 && h("kbd", { "aria-hidden": "true" }, String(number)))),
        h("span", { className: "told" }, h("span", { className: "tag" }, CHANNELS[bundle.channel] ?? bundle.channel), work.closed ? h("span", { className: "tag warn" }, "closed") : null, h("span", { className: "snippet soft", dir: "auto" }, told))),
      text && work.call === "offered" && this.offer(work, "list"));
  }

  offer(work, where) {
    const id = work.bundle.conversation_id;
    return h("div", { className: "row answer" },
      h("button", { type: "button", className: "good", data: { key: `accept ${where} ${id}` }, onclick: () => this.accept(work) }, "Take it ", this.offered[0] === work && h("kbd", { "aria-hidden": "true" }, "A")),
      h("button", { type: "button", data: { key: `refuse ${where} ${id}` }, onclick: () => this.ask(work, "refuse") }, "Not now"));
  }

  /* In the place of the call. */
  controls(body, work) {
    const { bundle } = work;
    const button = (label, letter, act, kind = "") => h("button", { type: "button", className: kind, data: { key: label }, onclick: act }, h("span", {}, label), h("kbd", { "aria-hidden": "true" }, letter));
    this.clock = h("span", { className: "number soft" });
    fill(body,
      h("div", { className: "who" }, h("strong", {}, h("bdi", {}, nameOf(bundle))), h("span", { className: "soft" }, `${whyOf(bundle)} · ${CHANNELS[bundle.channel]} · ${bundle.queue}`)),
      h("p", { className: "call-state" }, h("span", { className: `tag ${work.call === "talking" ? "good" : "accent"}` }, work.call === "talking" ? "You write with them" : "Offered to you"), this.clock),
      this.problem && h("p", { className: "tag bad", role: "alert" }, this.problem),
      work.call === "offered" ? this.offer(work, "call") : h("div", { className: "keys" },
        button("Reply", "R", () => this.composer.focus()), button("Pass on", "T", () => this.transfer(work)), button("To the AI", "B", () => this.back(work)), button("Finish", "X", () => this.finish(work), "primary")));
    this.tick();
  }

  show(work) {
    this.thread.show(work, null);
    this.composer.show(work);
    this.read();
  }

  hide() { this.composer.show(null); }

  tick() {
    const { work } = this.state;
    if (this.clock?.isConnected && written(work)) {
      const newest = work.lines.findLast((line) => line.who === "customer");
      const lost = (line) => ["failed", "refused"].includes(work.sent[line.turn_id]?.state);
      const answered = newest && work.lines.some((line) => line.at > newest.at && line.who !== "customer" && line.who !== "butler" && !lost(line));
      setText(this.clock, newest && !answered ? `waiting for ${span(Date.now() / 1000 - newest.at)}` : "answered");
    }
  }

  // — what is asked —

  open(work) {
    document.body.dataset.tab = "talk";
    this.problem = "";
    this.select(work);
    if (written(work)) this.composer.focus();
  }

  /* The nth conversation of the list. */
  nth(number) {
    const work = [...(this.state.voice ? [this.state.voice] : []), ...this.all][number - 1];
    if (work) this.open(work);
  }

  read() {
    const { work } = this.state;
    if (!written(work) || !work.unread || document.hidden || work.call !== "talking") return;
    work.unread = 0;
    this.say({ type: "read", conversation: work.bundle.conversation_id });
    this.list();
  }

  /* The one that is shown, if it is offered; else the first that is. False: none is. */
  take() {
    const work = this.offered.includes(this.state.work) ? this.state.work : this.offered[0];
    if (work) this.accept(work);
    return Boolean(work);
  }

  async accept(work) {
    if (await this.ask(work, "accept")) this.open(work);
  }

  back(work) { return this.ask(work, "transfer", { to: "butler" }); }

  finish(work) {
    this.finishing.work = work;
    this.finishing.open(work, this.state.dispositions);
  }

  async ask(work, type, fields = {}) {
    this.problem = "";
    try {
      await this.order(type, { conversation: work.bundle.conversation_id, ...fields });
      return true;
    } catch (error) {
      this.problem = error.message;
      announce(error.message, true);
      if (this.state.work === work) this.controls(byId("call-body"), work);
      return false;
    }
  }
}
