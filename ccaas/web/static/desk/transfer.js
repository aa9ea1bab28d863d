/* Passing a call on: to whom, at once or after a word with them. */
import { closes, refusal, telephoneField } from "../site/asking.js";
import { fill, h } from "../site/dom.js";

export class Transfer {
  constructor(dialog, me, order) {
    Object.assign(this, { dialog, me, order });
  }

  open(work, { queues, agents, numbers }, destinations) {
    const number = numbers && work.bundle.channel === "voice"
      && telephoneField({ "aria-label": "Telephone number", oninput: () => { form.elements.to.value = "number"; } });
    const targets = [
      ...agents.filter((agent) => agent.login !== this.me.login && agent.state !== "offline").map((agent) => ({ to: agent.login, name: agent.name, about: agent.state })),
      ...queues.map((queue) => ({ to: queue.name, name: queue.name, about: queue.open ? `queue, ${queue.waiting} waiting` : "queue, closed" })),
      ...destinations.map((name) => ({ to: name, name, about: "destination" })),
    ];
    const problem = refusal();
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

  send(work, type, to, problem) {
    return closes(this.dialog, problem, async () => {
      if (!to) throw new Error("Choose to whom.");
      await this.order(type, { conversation: work.bundle.conversation_id, to });
    });
  }
}
