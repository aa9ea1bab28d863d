/* A written conversation: the transcript, with what became of each message that people wrote. */
import { announce, fill, h } from "../site/dom.js";
import { Transcript } from "./transcript.js";

const STATES = { waiting: "Sending…", sent: "Sent", delivered: "Delivered", again: "Sent once more, below" };

export class Thread extends Transcript {
  constructor(body, me, again) {
    super(body, me);
    this.again = again;
    this.states = new Map();
    this.log.setAttribute("aria-label", "What was written");
    this.writing = h("p", { className: "writing soft" });
  }

  show(work, idle) {
    this.states.clear();
    super.show(work, idle);
    this.types();
    if (!work) return;
    this.body.append(this.writing);
    this.toEnd();
  }

  node(line) {
    const node = super.node(line);
    if (line.who === "customer" || line.who === "butler" || !line.turn_id) return node;
    // Not read aloud: what fails is.
    const state = h("p", { className: "sent", "aria-live": "off" });
    this.states.set(line.turn_id, state);
    node.append(state);
    this.sent(line.turn_id);
    return node;
  }

  /* What became of a message has changed. */
  sent(message, news = false) {
    const node = this.states.get(message);
    if (!node) return;
    const { state, detail } = this.work.sent[message] ?? { state: "sent", detail: "" };
    const failed = state === "failed" || state === "refused";
    node.classList.toggle("bad", failed);
    fill(node, h("span", {}, failed ? `Not sent: ${detail || "no reason was given"}` : STATES[state] ?? state),
      failed && h("button", { type: "button", data: { key: `again ${message}` }, onclick: () => this.again(this.work, message) }, "Send again"));
    if (failed && news) announce(`A message was not sent: ${detail}`, true);
    if (this.stuck) this.toEnd();
  }

  /* Whether the customer is writing. */
  types() {
    const on = Boolean(this.work?.typing);
    this.writing.textContent = on ? `${this.name("customer")} is writing…` : "";
  }
}
