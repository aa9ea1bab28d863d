/* A written conversation is finished: what it came to, and a note. */
import { closes, refusal } from "../site/asking.js";
import { fill, h } from "../site/dom.js";

export class Finish {
  constructor(dialog, order) {
    Object.assign(this, { dialog, order });
  }

  open(work, dispositions) {
    const problem = refusal();
    const note = h("textarea", { id: "finish-note", rows: 3, maxLength: 4000 });
    const form = h("form", {
      onsubmit: (event) => { event.preventDefault(); this.send(work, form, note, problem); },
      onkeydown: (event) => { if (event.key === "Enter" && event.ctrlKey) form.requestSubmit(); },
    },
    h("h2", { id: "finish-title" }, "What did it come to?"),
    h("fieldset", {}, h("legend", { className: "unseen" }, "Disposition"), h("div", { className: "choices" }, dispositions.map((name) =>
      h("label", {}, h("input", { type: "radio", name: "disposition", value: name, required: true }), name)))),
    h("label", { htmlFor: "finish-note" }, "Note for who writes with them next"), note, problem,
    h("div", { className: "row apart" }, h("button", { type: "button", onclick: () => this.dialog.close() }, "Not yet"),
      h("button", { className: "primary" }, "Finish ", h("kbd", { "aria-hidden": "true" }, "Ctrl ⏎"))));
    fill(this.dialog, form);
    this.dialog.showModal();
    form.querySelector("input").focus();
  }

  send(work, form, note, problem) {
    return closes(this.dialog, problem, () =>
      this.order("wrap_up", { conversation: work.bundle.conversation_id, disposition: form.elements.disposition.value, note: note.value }));
  }
}
