/* What the AI may not do and the human can, and what would be best to offer: approved with one click. */
import { announce, fill, h } from "../site/dom.js";

const VERDICTS = { done: ["Done", "good"], declined: ["Declined", ""], failed: ["Not done", "bad"], approved: ["Not known yet", "warn"] };

export class Proposals {
  constructor(body, order) {
    this.body = body;
    this.order = order;
    this.under = new Map();
  }

  show(work) {
    if (!work) {
      this.under.clear();
      return fill(this.body, h("p", { className: "soft" }, "With a conversation, its offers are here."));
    }
    const { only_you: only, next_best: best } = work.bundle;
    fill(this.body,
      only.length > 0 && h("div", {}, h("h3", {}, "Only you can"), only.map((one) => this.node(work, one, "only"))),
      best.length > 0 && h("div", {}, h("h3", {}, "Best to offer now"), best.map((one) => this.node(work, one, ""))),
      !only.length && !best.length && h("p", { className: "soft" }, "Nothing is prepared for this conversation."));
  }

  node(work, proposal, kind) {
    const id = proposal.approval_id;
    const result = work.results.findLast((one) => one.approval === id);
    const state = this.under.get(id);
    const [word, tag] = VERDICTS[result?.verdict] ?? [];
    const open = id && (!result || result.verdict === "approved");
    return h("article", { className: `proposal ${kind}`, "aria-label": proposal.title },
      h("strong", { dir: "auto" }, proposal.title), proposal.why && h("p", { dir: "auto" }, proposal.why),
      h("div", { className: "row" },
        open && h("button", { type: "button", className: "primary", disabled: state === "busy", data: { key: `approve ${id}` }, onclick: () => this.decide(work, "approve", id) }, state === "busy" ? "Working…" : "Approve"),
        open && h("button", { type: "button", disabled: state === "busy", data: { key: `decline ${id}` }, onclick: () => this.decide(work, "decline", id) }, "Decline"),
        word && id && h("span", { className: `tag ${tag}` }, word),
        state && state !== "busy" && h("span", { className: "tag bad" }, state)));
  }

  async decide(work, verb, id) {
    this.under.set(id, "busy");
    this.show(work);
    try {
      await this.order(verb, { conversation: work.bundle.conversation_id, approval: id });
      this.under.delete(id);
    } catch (error) {
      this.under.set(id, error.message);
      announce(error.message, true);
    }
    this.show(work);
  }
}
