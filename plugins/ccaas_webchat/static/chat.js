const TYPING_SHOWN_MS = 45_000;
const TYPING_AGAIN_MS = 3_000;
const TYPING_IDLE_MS = 5_000;

/** The conversation: joins what is seen, what is kept and what goes over the network. */
class Chat {
  constructor(script) {
    const { title, greeting, color, theme = "auto", side = "right", entry = "", token = "" } = script.dataset;
    const url = new URL("socket", script.src);
    this.memory = new Memory(`ccaas-chat:${url.host}${url.pathname}`);
    url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
    this.entry = entry;
    this.token = token;
    this.thread = [];
    this.earlier = false;
    this.sending = "";
    this.held = 0;
    this.seen = 0;
    this.panel = new Panel({ title: title || word("title"), greeting: greeting || "", color, theme, side }, this);
    this.connection = new Connection(url.href, {
      hello: () => this.hello(),
      receive: (frame) => this[`on_${frame.type}`]?.(frame),
      report: (...state) => this.report(...state),
    });
    document.addEventListener("visibilitychange", () => this.mark());
    this.show();
    // Somebody with a conversation hears of an answer; who only reads the page costs nobody a connection.
    const kept = this.memory.get();
    if (kept.session || kept.outbox.length) this.connection.start();
  }

  get last() {
    return this.thread.length ? this.thread[this.thread.length - 1].seq : 0;
  }

  // — what the customer does —

  opened() {
    this.connection.start();
    this.connection.send({ type: "open" });
    this.mark();
  }

  closed() {
    this.mark();
  }

  say(text) {
    const wellFormed = text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
    const id = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.memory.queue({ id, text: wellFormed, at: Date.now() / 1000, who: this.who() });
    this.typing(false);
    this.show();
    this.panel.toEnd();
    this.connection.start();
    this.pump();
  }

  typing(on) {
    clearTimeout(this.idle);
    if (on) this.idle = setTimeout(() => this.typing(false), TYPING_IDLE_MS);
    const told = this.toldTyping ?? 0;
    if (on ? Date.now() - told > TYPING_AGAIN_MS : told) {
      this.toldTyping = on ? Date.now() : 0;
      this.connection.send({ type: "typing", on });
    }
  }

  more() {
    this.connection.send({ type: "earlier", before: this.thread[0]?.seq ?? 0 });
  }

  // — what the server says —

  hello() {
    const { session, resume } = this.memory.get();
    return { session, resume, token: this.token, entry: this.entry, after: session === this.session ? this.last : 0 };
  }

  on_welcome({ session, resume, lines, earlier, reset, typing, longest }) {
    if (reset || session !== this.session) {
      this.thread = [];
      this.earlier = false;
      this.seen = 0;
    }
    if (session !== this.memory.get().session) this.memory.set({ session, resume, read: 0 });
    this.session = session;
    this.panel.longest = longest;
    this.panel.lock(false);
    if (this.thread.length === 0) {
      this.thread = lines;
      this.earlier = earlier;
      this.panel.render(lines, earlier);
      this.settle(lines);
    } else {
      for (const line of lines) this.take(line);
    }
    this.on_typing({ on: typing });
    if (this.panel.isOpen) this.connection.send({ type: "open" });
    this.after();
    this.sending = "";
    this.pump();
  }

  on_line(line) {
    if (line.seq <= this.last) return;
    if (line.seq !== this.last + 1 && this.thread.length) {
      this.connection.restart();
      return;
    }
    if (line.side === "agent") this.on_typing({ on: false });
    this.take(line);
    this.after();
    this.pump();
  }

  on_earlier({ lines, earlier }) {
    const first = this.thread[0]?.seq ?? 0;
    this.thread = [...lines.filter((line) => line.seq < first), ...this.thread];
    this.earlier = earlier;
    this.panel.render(this.thread, earlier);
  }

  on_typing({ on }) {
    clearTimeout(this.shown);
    this.panel.typing(on);
    if (on) this.shown = setTimeout(() => this.panel.typing(false), TYPING_SHOWN_MS);
  }

  on_refused({ id, why, retry_s }) {
    this.sending = "";
    if (why === "rate" || why === "later") {
      const seconds = Math.max(1, Math.ceil(retry_s));
      this.panel.tell(word("busy", { count: seconds }));
      clearTimeout(this.again);
      this.held = Date.now() + seconds * 1000;
      this.again = setTimeout(() => {
        this.panel.tell("");
        this.pump();
      }, seconds * 1000);
      return;
    }
    const reasons = { long: word("too_long", { count: this.panel.longest }), flood: word("flood") };
    this.fail(id, reasons[why] ?? word("unsent"));
  }

  // — what follows —

  take(line) {
    this.thread.push(line);
    this.panel.add(line);
    this.settle([line]);
  }

  settle(lines) {
    for (const { side, id } of lines) {
      if (side !== "customer") continue;
      this.memory.settle(id);
      if (this.sending === id) this.sending = "";
    }
    this.show();
  }

  after() {
    if (this.last > this.seen && this.thread.some(({ seq, side }) => seq > this.seen && side === "agent")) {
      if (this.connection.send({ type: "seen", seq: this.last })) this.seen = this.last;
    }
    this.mark();
  }

  /** Send what waits: one at a time, so that the order stays; the next when this one has come back. */
  pump() {
    if (this.sending || Date.now() < this.held) return;
    const { outbox } = this.memory.get();
    const mine = outbox.filter((one) => !one.who || one.who === this.who());
    // What somebody else wrote who has signed out since is not said in this one's name.
    if (mine.length < outbox.length) {
      this.memory.set({ outbox: mine });
      this.show();
    }
    const next = mine.find((one) => !one.failed);
    if (next && this.connection.send({ type: "say", id: next.id, text: next.text })) this.sending = next.id;
  }

  fail(id, why) {
    this.memory.fail(id, why);
    this.show();
    this.panel.speak(why);
    this.pump();
  }

  show() {
    this.panel.waiting(this.memory.get().outbox, (id, text) => {
      this.memory.settle(id);
      // Under a new id: the old one may be known as one that was not taken.
      if (text) this.say(text);
      else this.show();
      this.panel.input.focus();
    });
  }

  /** How far it is read, and how much is not. */
  mark() {
    if (this.panel.isOpen && !document.hidden && this.last > this.memory.get().read) this.memory.set({ read: this.last });
    const { read } = this.memory.get();
    this.panel.label(this.thread.filter(({ seq, side }) => side === "agent" && seq > read).length);
  }

  /** Whom the token names; only to keep apart what two people write in one browser. */
  who() {
    try {
      return String(JSON.parse(atob(this.token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub ?? "");
    } catch {
      return "";
    }
  }

  report(state, detail, code) {
    clearInterval(this.counting);
    if (state === "open") {
      this.panel.speak(this.wasLost ? word("connected") : "");
      this.wasLost = false;
      this.panel.tell("");
    } else if (state === "connecting") {
      this.panel.tell(word("connecting"));
    } else if (state === "waiting") {
      // A frame that the server cannot read is not sent again and again.
      if (code === 4400 && this.sending) this.fail(this.sending, word("unsent"));
      this.sending = "";
      this.wasLost = true;
      this.panel.typing(false);
      this.panel.speak(navigator.onLine ? word("lost_short") : word("offline"));
      this.count(detail);
      this.counting = setInterval(() => this.count(detail), 1_000);
    } else {
      this.panel.lock(true);
      const text = word({ 4401: "refused", 4403: "sign_in", 4429: "moved" }[detail]);
      this.panel.tell(text, { kind: "bad" });
      this.panel.speak(text);
      dispatchEvent(new CustomEvent("ccaas-chat-refused", { detail: { code: detail } }));
    }
  }

  count(until) {
    const count = Math.max(1, Math.ceil((until - Date.now()) / 1000));
    const text = navigator.onLine ? word("lost", { count }) : word("offline");
    this.panel.tell(text, { kind: "bad", action: word("retry"), act: () => this.connection.hurry() });
  }

  /** A new token: the page's customer signed in, out, or for longer. */
  renew(token) {
    this.token = token ?? "";
    if (this.connection.state !== "idle") this.connection.restart();
  }
}

const script = document.currentScript;

function begin() {
  const chat = new Chat(script);
  globalThis.ccaasChat = Object.freeze({
    open: () => chat.panel.open(),
    close: () => chat.panel.close(),
    token: (value) => chat.renew(value),
  });
}

if (!globalThis.ccaasChat) {
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
}
