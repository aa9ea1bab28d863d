/* The customer's timeline across channels. */
import { dayOf, fill, h, hourTime } from "../site/dom.js";

export class History {
  constructor(body) {
    this.body = body;
    this.of = null;
  }

  async show(work) {
    const conversation = work?.bundle.conversation_id ?? "";
    if (conversation === this.of) return;
    this.of = conversation;
    this.facts = [];
    if (!work) return fill(this.body, h("p", { className: "soft" }, "With a conversation, all that has been is here."));
    fill(this.body, h("p", { className: "soft" }, "Looking…"));
    await this.more(conversation);
  }

  async more(conversation) {
    const before = this.facts.length ? `?before=${this.facts[0].at}` : "";
    try {
      const answer = await fetch(`/desk/timeline/${encodeURIComponent(conversation)}${before}`);
      if (conversation !== this.of) return;
      if (!answer.ok) throw new Error(await answer.text());
      const { facts } = await answer.json();
      this.facts = [...facts, ...this.facts];
      this.draw(conversation, facts.length >= 100);
    } catch (error) {
      fill(this.body, h("p", { className: "soft" }, `The timeline cannot be read (${error.message.trim()}).`),
        h("button", { type: "button", onclick: () => this.more(conversation) }, "Try again"));
    }
  }

  draw(conversation, more) {
    const days = new Map();
    for (const fact of this.facts.toReversed()) {
      const day = dayOf(fact.at);
      days.set(day, [...(days.get(day) ?? []), fact]);
    }
    fill(this.body,
      !this.facts.length && h("p", { className: "soft" }, "Nothing before this."),
      [...days].map(([day, facts]) => h("section", {}, h("h3", { className: "day" }, day), h("ol", {}, facts.map(line)))),
      more && h("button", { type: "button", onclick: () => this.more(conversation) }, "Earlier"));
  }
}

function line(fact) {
  const who = fact.source === "customer" ? "they" : fact.source === "agent" ? "we" : "";
  return h("li", { className: "fact" }, h("span", { className: "soft number" }, hourTime(fact.at)),
    h("div", {}, h("span", { className: "channel" }, [fact.channel, fact.kind === "said" && who ? `${who} said` : fact.kind].filter(Boolean).join(" · ")), h("p", { dir: "auto" }, fact.text)));
}
