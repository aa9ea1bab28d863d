/* Where the agent writes to a customer. What is typed is kept for each conversation, also over a reload of the page. */
import { announce, fill, h, setText } from "../site/dom.js";
import { nameOf } from "./customer.js";

const STILL_MS = 4_000; // "is writing" is said again after this
const LONGEST = 50_000;

export class Composer {
  constructor(body, { order, say }) {
    Object.assign(this, { body, order, say });
    this.of = "";
    this.problem = h("p", { className: "problem", role: "alert", hidden: true });
    this.label = h("label", { htmlFor: "reply", className: "unseen" });
    this.box = h("textarea", { id: "reply", rows: 2, maxLength: LONGEST, enterKeyHint: "send", "aria-describedby": "reply-hint" });
    this.count = h("span", { className: "soft number" });
    this.send = h("button", { className: "primary" }, "Send ", h("kbd", { "aria-hidden": "true" }, "⏎"));
    this.form = h("form", {}, this.label, this.box, h("div", { className: "row apart" }, h("span", { className: "row soft" }, h("span", { id: "reply-hint" }, "Enter sends, Shift Enter begins a line"), this.count), this.send));
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.write(); });
    this.box.addEventListener("input", () => this.typed());
    this.box.addEventListener("blur", () => this.types(false));
    this.box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.write();
    });
    this.closed = h("p", { className: "notice warn", role: "status" });
  }

  show(work) {
    const conversation = work?.call === "talking" ? work.bundle.conversation_id : "";
    if (this.of !== conversation) {
      this.types(false);
      this.problem.hidden = true;
      this.of = conversation;
      this.box.value = conversation ? sessionStorage.getItem(`reply ${conversation}`) ?? "" : "";
      this.grow();
    }
    this.work = work;
    this.body.hidden = !conversation;
    if (!conversation) return fill(this.body);
    setText(this.label, `Write to ${nameOf(work.bundle)} by ${work.bundle.channel}`);
    setText(this.closed, work.closed);
    if (work.closed && !this.closed.isConnected) fill(this.body, this.closed);
    if (!work.closed && !this.form.isConnected) fill(this.body, this.problem, this.form);
  }

  focus() { if (this.of && this.form.isConnected) this.box.focus(); }

  typed() {
    if (this.of) sessionStorage.setItem(`reply ${this.of}`, this.box.value);
    this.grow();
    this.types(Boolean(this.box.value.trim()));
  }

  grow() {
    this.box.style.height = "auto";
    if (this.box.value) this.box.style.height = `${Math.min(this.box.scrollHeight + 2, 220)}px`;
    setText(this.count, this.box.value.length > 120 ? `${this.box.value.length} characters` : "");
  }

  /* Said when it begins and ends, and now and then between. */
  types(on) {
    const now = Date.now();
    if (!this.of || (!on && !this.typing) || (on && this.typing && now - this.saidAt < STILL_MS)) return;
    Object.assign(this, { typing: on, saidAt: now });
    this.say({ type: "typing", conversation: this.of, on });
  }

  async write() {
    const { of } = this;
    const text = this.box.value;
    this.problem.hidden = true;
    this.send.disabled = true;
    try {
      if (!text.trim()) throw new Error("There is nothing in it; write something.");
      await this.order("write", { conversation: of, text });
      sessionStorage.removeItem(`reply ${of}`);
      if (this.of === of && this.box.value === text) { this.box.value = ""; this.grow(); this.typing = false; }
    } catch (error) {
      setText(this.problem, error.message);
      this.problem.hidden = this.of !== of;
      announce(error.message, true);
    }
    this.send.disabled = false;
  }

  forget(conversation) { sessionStorage.removeItem(`reply ${conversation}`); }
}
