const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const SILENT_MS = 25_000;
const PONG_MS = 8_000;
const FOR_GOOD = new Set([4401, 4403, 4429]);

/**
 * One WebSocket after another: connects again when it is lost, later and later, and tells what it does.
 * `report(state, detail)`: "connecting", "open", "waiting" (until when, in ms), "stopped" (the code of the close).
 */
class Connection {
  constructor(url, { hello, receive, report }) {
    Object.assign(this, { url, hello, receive, report, socket: null, attempts: 0, state: "idle" });
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.check(3_000));
    addEventListener("pageshow", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  start() {
    if (this.state === "idle" || this.state === "stopped") this.connect();
  }

  /** Connect anew at once, saying hello again. */
  restart() {
    this.drop();
    this.attempts = 0;
    this.connect();
  }

  /** Something has changed for the better: do not wait any longer. */
  hurry() {
    if (this.state === "waiting") this.connect();
    else if (this.state === "open") this.check();
  }

  send(frame) {
    if (this.state !== "open") return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  connect() {
    clearTimeout(this.timer);
    this.become("connecting");
    const socket = (this.socket = new WebSocket(this.url));
    const current = () => this.socket === socket;
    socket.onopen = () => current() && socket.send(JSON.stringify({ type: "hello", ...this.hello() }));
    socket.onmessage = ({ data }) => current() && this.take(JSON.parse(data));
    socket.onclose = ({ code }) => current() && this.lost(code);
    this.watch(PONG_MS * 2, () => this.lost(0));
  }

  take(frame) {
    this.watch(SILENT_MS, () => this.check());
    if (frame.type === "welcome") {
      this.attempts = 0;
      this.become("open");
    }
    this.receive(frame);
  }

  /** Ask whether the other side still lives; give it up when it does not answer. */
  check(limit = PONG_MS) {
    if (this.send({ type: "ping" })) this.watch(limit, () => this.lost(0));
  }

  lost(code) {
    this.drop();
    if (FOR_GOOD.has(code)) {
      this.become("stopped", code);
      return;
    }
    // Spread over the whole time, so that a server that starts again is not met by all its pages at once.
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.attempts++, 10));
    const wait = longest * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => this.connect(), wait);
    this.become("waiting", Date.now() + wait, code);
  }

  drop() {
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  watch(after, then) {
    clearTimeout(this.silence);
    this.silence = setTimeout(then, after);
  }

  become(state, ...detail) {
    this.state = state;
    this.report(state, ...detail);
  }
}
