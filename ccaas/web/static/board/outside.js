/* Who waits is sent to an outside number: which, and why not. */
import { closes, refusal, telephoneField } from "../site/asking.js";
import { addressed, announce, fill, h } from "../site/dom.js";

export class Outside {
  /* `back(one, sent)` puts the focus where it belongs when the dialog has closed. */
  constructor(dialog, order, back) {
    Object.assign(this, { dialog, order, back });
    dialog.addEventListener("close", () => this.back(this.one, this.sent));
  }

  open(one) {
    Object.assign(this, { one, sent: false, busy: false });
    const problem = refusal();
    problem.id = "outside-problem";
    const number = telephoneField({ id: "outside-number", "aria-describedby": "outside-problem" });
    fill(this.dialog, h("form", { className: "stack", onsubmit: (event) => { event.preventDefault(); this.send(one, number, problem); } },
      h("h2", { id: "outside-title" }, "Send ", h("bdi", {}, addressed(one.customer)), " to a telephone number"),
      h("label", { htmlFor: "outside-number" }, "Telephone number"), number, problem,
      h("div", { className: "row apart" },
        h("button", { type: "button", onclick: () => this.dialog.close() }, "Cancel"),
        h("button", { type: "submit", className: "primary" }, "Send there"))));
    this.dialog.showModal();
    number.focus();
  }

  async send(one, field, problem) {
    if (this.busy) return;
    this.busy = true;
    const number = field.value.trim();
    field.removeAttribute("aria-invalid");
    const done = await closes(this.dialog, problem, async () => {
      if (!number) throw new Error("Write a telephone number.");
      await this.order("reroute", { handoff: one.handoff_id, number });
      this.sent = this.one === one;
    });
    this.busy = false;
    if (done) return announce(`${addressed(one.customer)} is sent to ${number}.`);
    if (!this.dialog.open) return announce(problem.textContent, true);
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }
}
