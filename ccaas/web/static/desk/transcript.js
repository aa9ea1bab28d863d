/* Who said what, as it is said. */
import { clockTime, fill, h, moodClass, moodWord } from "../site/dom.js";

const AT_END_PX = 60;

export class Transcript {
  constructor(body, me) {
    this.body = body;
    this.me = me;
    this.log = h("div", { className: "log", role: "log", "aria-label": "What was said", tabIndex: 0 });
    this.newer = h("button", { type: "button", className: "newer primary", hidden: true, onclick: () => this.toEnd() }, "Newest words ↓");
    this.stuck = true;
    this.log.addEventListener("scroll", () => { this.stuck = this.atEnd; if (this.stuck) this.newer.hidden = true; });
    // What grows beside it must not hide the newest words.
    new ResizeObserver(() => { if (this.stuck) this.toEnd(); }).observe(this.log);
    this.last = null;
    /* What may go on, by who says it. It is no part of the log: a screen reader reads a line once, when it is whole. */
    this.drafts = h("div", { className: "drafts", "aria-hidden": "true" });
    this.drafted = new Map();
  }

  get atEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < AT_END_PX;
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    this.stuck = true;
    this.newer.hidden = true;
  }

  /* The whole of a conversation; nothing of it is read aloud. */
  show(work, idle) {
    this.last = null;
    this.work = work;
    if (!work) return fill(this.body, idle);
    this.log.setAttribute("aria-live", "off");
    this.drafted.clear();
    fill(this.drafts);
    fill(this.log);
    const own = work.bundle.transcript.length;
    work.lines.forEach((line, number) => {
      if (number === own && own > 0) this.border();
      this.log.append(this.node(line));
    });
    if (work.lines.length <= own) this.pending = own > 0;
    fill(this.body, this.log, this.drafts, this.newer);
    this.toEnd();
    requestAnimationFrame(() => this.log.setAttribute("aria-live", "polite"));
  }

  border() {
    this.log.append(h("p", { className: "before" }, "— before you —"));
    this.pending = false;
    this.last = null;
  }

  /* Words that are still being said. */
  draft(who, text) {
    if (!this.work) return;
    const end = this.stuck;
    this.drafted.set(who, text);
    this.showDrafts();
    if (end) this.toEnd();
  }

  showDrafts() {
    fill(this.drafts, [...this.drafted].map(([who, text]) => h("p", { dir: "auto" }, h("b", {}, h("bdi", {}, this.name(who))), ` ${text} …`)));
  }

  add(line) {
    const end = this.stuck;
    if (this.drafted.delete(line.who)) this.showDrafts();
    if (this.pending) this.border();
    this.log.append(this.node(line));
    if (end) this.toEnd();
    else this.newer.hidden = false;
  }

  name(who) {
    if (who === "customer") return this.work.bundle.customer ? `${this.work.bundle.customer.first_name} ${this.work.bundle.customer.last_name}`.trim() || "Customer" : "Customer";
    if (who === "butler") return "Butler (AI)";
    return who === this.me.login ? "You" : who;
  }

  node(line) {
    const same = this.last !== null && this.last.who === line.who && line.at - this.last.at < 60;
    this.last = line;
    const mood = line.score === null ? "" : moodWord(line.score);
    const kind = line.who === "customer" || line.who === "butler" ? line.who : line.who === this.me.login ? "own" : "other";
    const meta = h("div", { className: "meta" }, h("b", {}, h("bdi", {}, this.name(line.who))), h("time", { className: "number", dateTime: new Date(line.at * 1000).toISOString() }, clockTime(line.at)),
      mood && mood !== "calm" && h("span", { className: `tag ${moodClass(line.score)}` }, mood));
    const said = h("p", { dir: "auto" }, line.text);
    if (same) said.prepend(h("span", { className: "unseen" }, `${this.name(line.who)}: `));
    return h("div", { className: `line ${kind} ${same ? "same" : ""} ${mood}` }, meta, said);
  }
}
