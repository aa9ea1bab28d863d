/* Preview: the next record of a campaign, before it is called. */
import { announce, fill, h, setText, span } from "../site/dom.js";

const LOOK_AGAIN_MS = 30_000;
const BECAME_MS = 1_000;

export class Preview {
  constructor(body, csrf) {
    Object.assign(this, { body, csrf, campaigns: [], record: null, note: "", busy: false, idle: true });
    this.left = h("span", { className: "number soft" });
    setInterval(() => this.tick(), 1_000);
    setInterval(() => this.look(), LOOK_AGAIN_MS);
    this.look();
  }

  /* `idle`: the agent has no call, and can look at somebody. */
  show(idle) {
    if (idle === this.idle) return;
    this.idle = idle;
    this.draw();
  }

  async look() {
    if (this.busy) return;
    try {
      const answer = await fetch("/desk/preview");
      if (!answer.ok) return;
      const { campaigns, shown } = await answer.json();
      const before = JSON.stringify([this.campaigns, this.record]);
      this.campaigns = campaigns;
      this.record = shown[0] ?? (this.record?.called ? this.record : null);
      if (JSON.stringify([this.campaigns, this.record]) !== before) this.draw();
    } catch { /* The page says that the connection is lost. */ }
  }

  async ask(path, body) {
    this.busy = true;
    this.note = "";
    this.draw();
    try {
      const answer = await fetch(`/desk/preview/${path}`, { method: "POST", headers: { "X-Ccaas-Csrf": this.csrf() }, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error((await answer.text()).trim());
      return await answer.json();
    } catch (error) {
      this.note = error.message;
      announce(error.message, true);
      return null;
    } finally {
      this.busy = false;
      this.draw();
    }
  }

  async next(campaign) {
    const answer = await this.ask(`${campaign}/next`, {});
    if (!answer) return;
    this.record = answer.record && { campaign, ...answer.record };
    if (!this.record) this.note = `Nobody of ${campaign} is to be called now.`;
    this.draw();
    announce(this.record ? `${this.title()}: ${this.record.numbers[0]}` : this.note);
  }

  async decide(verb) {
    const { campaign, record_id: record } = this.record;
    if (!(await this.ask(`${campaign}/decide`, { record, do: verb }))) return;
    if (verb === "release") {
      this.record.called = true;
      this.became(this.record);
    } else {
      this.record = null;
    }
    this.draw();
  }

  /* Rung, or refused: said on the card until somebody else is looked at. */
  async became(record) {
    while (this.record === record) {
      await new Promise((done) => setTimeout(done, BECAME_MS));
      const answer = await fetch(`/desk/preview/${record.campaign}/${record.record_id}`).catch(() => null);
      if (!answer?.ok || this.record !== record) continue;
      const { over, state, disposition, words } = await answer.json();
      record.state = over ? [disposition.replaceAll("_", " "), words].filter(Boolean).join(": ") || state : state === "dialling" ? "It rings." : "It will be called in a moment.";
      if (over) announce(record.state);
      this.draw();
      if (over) return;
    }
  }

  title() {
    const { data } = this.record;
    return data.name || [data.first_name, data.last_name].filter(Boolean).join(" ") || data.customer || this.record.numbers[0];
  }

  tick() {
    if (!this.record || this.record.called) return;
    const left = this.record.until - Date.now() / 1000;
    setText(this.left, left > 0 ? `${span(left)} left` : "");
    if (left <= 0) { this.record = null; this.note = "It went back: nobody decided on it."; this.draw(); }
  }

  draw() {
    const one = this.record;
    this.body.hidden = !one && !(this.idle && (this.campaigns.length || this.note));
    if (this.body.hidden) return;
    const button = (label, act, kind = "") => h("button", { type: "button", className: kind, disabled: this.busy, data: { key: `preview ${label}` }, onclick: act }, label);
    fill(this.body,
      h("h3", {}, one ? `To be called · ${one.campaign}` : "To be called"),
      one && h("div", { className: "preview" },
        h("p", {}, h("strong", {}, h("bdi", {}, this.title())), " ", !one.called && this.left),
        h("dl", {}, [["telephone", one.numbers.join(", ")], ...Object.entries(one.data), ["tried", one.tries ? `${one.tries} times${one.outcome ? `, ${one.outcome.replaceAll("_", " ")}` : ""}` : "never"]]
          .filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", { dir: "auto" }, value)])),
        one.called
          ? h("p", { role: "status" }, one.state ?? "It will be called in a moment.")
          : h("div", { className: "row" }, button("Call now", () => this.decide("release"), "primary"), button("Skip", () => this.decide("skip")), button("Put back", () => this.decide("put back")))),
      this.note && h("p", { className: "soft" }, this.note),
      this.idle && (!one || (one.called && one.state && one.state !== "It rings.")) && h("div", { className: "row" }, this.campaigns.map((name) => button(`Next of ${name}`, () => this.next(name)))));
    this.tick();
  }
}
