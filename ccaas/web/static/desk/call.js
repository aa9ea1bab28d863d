/* The call: who it is, how it stands, and the buttons that fit. */
import { fill, h, setText, span } from "../site/dom.js";
import { nameOf, whyOf } from "./customer.js";

const STATES = {
  offered: "Yours in a moment", ringing: "Ringing", talking: "Talking", held: "On hold", consulting: "Speaking with a colleague, the customer hears music",
  conference: "All three talk", ended: "Ended",
};
const DIGITS = [..."123456789*0#"];

export class Call {
  constructor(body, line, { transfer, order, finish }) {
    Object.assign(this, { body, line, transfer, order, finish });
    this.pad = false;
    this.problem = "";
    this.since = 0;
    setInterval(() => this.tick(), 1_000);
  }

  get ringing() { return this.line.phone.state === "ringing"; }
  get talking() { return this.line.phone.state === "talking"; }

  show(work) {
    if (work !== this.work) this.problem = "";
    if (!work || (this.work && work.bundle.handoff_id !== this.work.bundle.handoff_id)) this.pad = false;
    if (work?.call !== this.state) { this.state = work?.call; this.since = Date.now(); }
    this.work = work;
    const { phone } = this.line;
    const trouble = this.line.trouble && h("p", { className: "tag warn", role: "status" }, this.line.trouble);
    if (!work) {
      return fill(this.body,
        h("div", { className: "idle" }, h("strong", {}, this.ringing || this.talking ? "A call without a bundle" : "No call"), h("p", { className: "soft" }, phone.state === "offline" ? "The softphone is not connected." : "The softphone is ready.")),
        trouble, (this.ringing || this.talking) && this.plain(), phone.local === null && phone.state !== "offline" && h("button", { type: "button", data: { key: "microphone" }, onclick: () => this.line.askMicrophone() }, "Try the microphone"));
    }
    const { bundle } = work;
    const live = ["talking", "held", "consulting", "conference"].includes(work.call);
    this.clock = h("span", { className: "number soft" });
    fill(this.body,
      h("div", { className: "who" }, h("strong", {}, h("bdi", {}, nameOf(bundle))), h("span", { className: "soft" }, `${whyOf(bundle)} · ${bundle.channel} · ${bundle.queue}`)),
      h("p", { className: "call-state" }, h("span", { className: `tag ${live ? "good" : work.call === "ended" ? "" : "accent"}` }, STATES[work.call] ?? work.call), this.clock, work.detail && h("span", { className: "soft" }, work.detail)),
      trouble, this.problem && h("p", { className: "tag bad", role: "alert" }, this.problem),
      this.ringing && this.plain(),
      live && this.controls(work),
      live && this.pad && this.keypad());
    this.tick();
  }

  plain() {
    const { phone } = this.line;
    return h("div", { className: "row answer" },
      this.ringing && h("button", { type: "button", className: "good", data: { key: "answer" }, onclick: () => this.answer() }, "Answer ", h("kbd", { "aria-hidden": "true" }, "A")),
      h("button", { type: "button", className: "bad", data: { key: "hangup" }, onclick: () => this.hangUp() }, phone.state === "ringing" ? "Refuse" : "Hang up"));
  }

  controls(work) {
    const { phone } = this.line;
    const held = phone.held;
    const button = (label, letter, pressed, act, kind = "") => h("button", {
      type: "button", className: kind, "aria-pressed": pressed === null ? null : String(pressed), disabled: pressed !== null && !this.talking, data: { key: label }, onclick: act,
    }, h("span", {}, label), h("kbd", { "aria-hidden": "true" }, letter));
    const consulting = work.call === "consulting";
    return h("div", { className: "stack" },
      h("div", { className: "keys" },
        button("Hold", "H", held, () => this.hold()), button("Mute", "M", phone.muted, () => this.mute()), button("Keypad", "K", this.pad, () => this.toggle()),
        button("Pass on", "T", null, () => this.transfer(work)), button("To the AI", "B", null, () => this.back(work)), button("Hang up", "X", null, () => this.hangUp(), "bad")),
      (consulting || work.call === "conference") && h("div", { className: "row" },
        consulting && h("button", { type: "button", className: "primary", data: { key: "join" }, onclick: () => this.ask("join", { leave: false }) }, "All three"),
        h("button", { type: "button", data: { key: "leave" }, onclick: () => this.ask("join", { leave: true }) }, "Hand over and leave"),
        h("button", { type: "button", data: { key: "drop" }, onclick: () => this.ask("drop") }, "Back to the customer alone")));
  }

  keypad() {
    return h("div", { className: "pad", role: "group", "aria-label": "Keypad" }, DIGITS.map((digit) =>
      h("button", { type: "button", data: { key: `digit ${digit}` }, onclick: () => this.line.phone.dtmf(digit) }, digit)));
  }

  async ask(type, fields = {}) {
    try {
      await this.order(type, { conversation: this.work.bundle.conversation_id, ...fields });
      this.problem = "";
    } catch (error) {
      this.problem = error.message;
    }
    this.show(this.work);
  }

  answer() { if (this.ringing) this.line.phone.answer(); }
  hangUp() { if (this.ringing) this.line.phone.reject(); else this.line.phone.hangup(); }
  hold() { if (this.talking) this.line.phone.hold(!this.line.phone.held); }
  mute() { if (this.talking) this.line.phone.mute(!this.line.phone.muted); }
  back(work) { return this.ask("transfer", { to: "butler", conversation: work.bundle.conversation_id }); }

  toggle() {
    this.pad = !this.pad;
    this.show(this.work);
  }

  tick() {
    if (this.clock?.isConnected) setText(this.clock, span((Date.now() - this.since) / 1000));
  }
}
