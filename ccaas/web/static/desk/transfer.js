/* Passing a call on: to whom, at once or after a word with them. */
import { fill, h } from "../site/dom.js";

export class Transfer {
  constructor(dialog, me, order) {
    Object.assign(this, { dialog, me, order });
  }

  open(work, { queues, agents, numbers }, destinations) {
    const number = numbers && work.bundle.channel === "voice"
      && h("input", { type: "tel", name: "number", "aria-label": "Telephone number", placeholder: "+15550100", autocomplete: "off", oninput: () => { form.elements.to.value = "number"; } });
    const targets = [
      ...agents.filter((agent) => agent.login !== this.me.login && agent.state !== "offline").map((agent) => ({ to: agent.login, name: agent.name, about: agent.state })),
      ...queues.map((queue) => ({ to: queue.name, name: queue.name, about: queue.open ? `queue, ${queue.waiting} waiting` : "queue, closed" })),
      ...destinations.map((name) => ({ to: name, name, about: "destination" })),
    ];
    const problem = h("p", { className: "problem", role: "alert", hidden: true });
    const chosen = () => (form.elements.to?.value === "number" ? number.value.trim() : form.elements.to?.value ?? "");
    const form = h("form", { method: "dialog" },
      h("h2", { id: "transfer-title" }, work.bundle.channel === "voice" ? "Pass the call on" : "Pass the conversation on"),
      h("fieldset", { className: "targets" }, h("legend", { className: "unseen" }, "To whom"),
        targets.map(({ to, name, about }) => h("label", {}, h("input", { type: "radio", name: "to", value: to }), h("span", {}, name), h("span", { className: "soft" }, about))),
        number && h("label", {}, h("input", { type: "radio", name: "to", value: "number", "aria-label": "A telephone number" }), number, h("span", { className: "soft" }, "telephone"))),
      problem,
      h("div", { className: "row apart" },
        h("button", { type: "button", onclick: () => this.dialog.close() }, "Cancel"),
        h("span", { className: "row" },
          work.bundle.channel === "voice" && h("button", { type: "button", onclick: () => this.send(work, "consult", chosen(), problem) }, "Speak with them first"),
          h("button", { type: "submit", className: "primary", onclick: (event) => { event.preventDefault(); this.send(work, "transfer", chosen(), problem); } }, "Send there"))));
    fill(this.dialog, form);
    this.dialog.showModal();
    form.querySelector("input")?.focus();
  }

  async send(work, type, to, problem) {
    problem.hidden = true;
    try {
      if (!to) throw new Error("Choose to whom.");
      await this.order(type, { conversation: work.bundle.conversation_id, to });
      this.dialog.close();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  }
}
