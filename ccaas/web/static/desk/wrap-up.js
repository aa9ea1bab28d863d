/* After a conversation: what it came to, and a note. What is typed outlives a reload of the page. */
import { announce, fill, h, setText, span } from "../site/dom.js";

export class WrapUp {
  constructor(body, order) {
    Object.assign(this, { body, order });
    this.of = "";
    setInterval(() => this.tick(), 1_000);
  }

  show(work, agent, dispositions) {
    this.agent = agent;
    const conversation = work?.call === "ended" ? work.bundle.conversation_id : "";
    this.body.hidden = !conversation;
    if (conversation === this.of) return this.tick();
    if (this.of && !conversation) sessionStorage.removeItem(`wrap-up ${this.of}`);
    this.of = conversation;
    if (!conversation) return fill(this.body);
    const kept = JSON.parse(sessionStorage.getItem(`wrap-up ${conversation}`) ?? "{}");
    this.left = h("span", { className: "soft number" });
    this.problem = h("p", { className: "problem", role: "alert", hidden: true });
    const note = h("textarea", { id: "note", rows: 3, maxLength: 4000, value: kept.note ?? "" });
    const form = h("form", { onsubmit: (event) => { event.preventDefault(); this.finish(form, note); }, oninput: () => {
      sessionStorage.setItem(`wrap-up ${conversation}`, JSON.stringify({ note: note.value, disposition: form.elements.disposition.value }));
    }, onkeydown: (event) => { if (event.key === "Enter" && event.ctrlKey) form.requestSubmit(); } },
    h("div", { className: "row apart" }, h("h3", {}, "What did it come to?"), this.left),
    h("fieldset", {}, h("legend", { className: "unseen" }, "Disposition"), h("div", { className: "choices" }, dispositions.map((name, number) =>
      h("label", {}, h("input", { type: "radio", name: "disposition", value: name, required: true, checked: kept.disposition === name, id: number ? null : "first-disposition" }), name)))),
    h("label", { htmlFor: "note" }, "Note for who speaks with them next"), note, this.problem,
    h("div", { className: "row" }, h("button", { className: "primary" }, "Finish ", h("kbd", { "aria-hidden": "true" }, "Ctrl ⏎")), h("span", { className: "soft" }, "Then the next conversation can come.")));
    fill(this.body, form);
    this.tick();
    announce("The call has ended. Choose what it came to.");
    // Who is typing elsewhere goes on typing.
    const typing = document.activeElement?.closest("input, textarea, select");
    if (!typing?.checkVisibility()) form.querySelector("#first-disposition").focus();
  }

  tick() {
    if (!this.of || !this.left) return;
    setText(this.left, this.agent?.until ? `${span(this.agent.until - Date.now() / 1000)} left` : "");
  }

  async finish(form, note) {
    this.problem.hidden = true;
    try {
      await this.order("wrap_up", { conversation: this.of, disposition: form.elements.disposition.value, note: note.value });
    } catch (error) {
      this.problem.textContent = error.message;
      this.problem.hidden = false;
    }
  }
}
