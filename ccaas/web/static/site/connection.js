/* The page's one socket. A lost connection comes back by itself; what was missed is told then, or everything anew. */

const SIGNED_OUT = 4401;
const SUPERSEDED = 4001;
const REFUSED = 4403;
const SILENCE_MS = 13_000; // the server ticks every five seconds
const FIRST_MS = 250;
const LONGEST_MS = 5_000;

export class Connection {
  /* `told(frame)` gets every frame but answers; `changed(state, detail)` gets "open", "lost" or "superseded". */
  constructor(path, csrf, told, changed) {
    this.path = path;
    this.csrf = csrf;
    this.told = told;
    this.changed = changed;
    this.instance = "";
    this.seq = 0;
    this.orders = new Map();
    this.count = 0;
    this.tries = 0;
    this.lostAt = null;
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    this.ready = false;
    const address = new URL(this.path, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.socket = socket;
    this.watch();
    socket.onopen = () => this.say({ type: "hello", csrf: this.csrf, instance: this.instance, seq: this.seq });
    socket.onmessage = (event) => socket === this.socket && this.got(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.socket && this.gone(event.code);
  }

  got(frame) {
    this.watch();
    if (frame.type === "done" || frame.type === "refused") {
      const order = this.orders.get(frame.id);
      this.orders.delete(frame.id);
      if (frame.type === "done") order?.resolve();
      else order?.reject(new Error(frame.why));
      return;
    }
    if (frame.type === "snapshot") this.instance = frame.instance;
    if (frame.type === "snapshot" || frame.type === "resumed") {
      const lost = this.lostAt !== null;
      this.ready = true;
      this.tries = 0;
      this.lostAt = null;
      this.changed("open", { again: lost });
    }
    if (frame.seq && frame.type !== "resumed") this.seq = frame.seq;
    this.told(frame);
  }

  gone(code) {
    clearTimeout(this.silence);
    this.ready = false;
    for (const order of this.orders.values()) order.reject(new Error("the connection was lost; look whether it was done"));
    this.orders.clear();
    if (code === SIGNED_OUT) return location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
    if (code === SUPERSEDED) return this.changed("superseded", {});
    this.lostAt ??= Date.now();
    this.changed("lost", { since: this.lostAt });
    const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.tries) * (0.75 + Math.random() / 2);
    this.tries += 1;
    // A session that is over does not open a socket: after some tries it is asked for.
    this.timer = setTimeout(() => (code === REFUSED || this.tries % 4 === 0 ? this.renew() : this.open()), wait);
  }

  async renew() {
    try {
      const answer = await fetch("/me");
      if (answer.status === 401) return this.gone(SIGNED_OUT);
      this.csrf = (await answer.json()).csrf;
    } catch {
      // Still not there: the next try tells.
    }
    this.open();
  }

  hurry() {
    if (this.lostAt !== null && this.socket.readyState === WebSocket.CLOSED) this.open();
  }

  watch() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      const { socket } = this;
      socket.onclose = null;
      socket.close();
      this.gone(1006);
    }, SILENCE_MS);
  }

  say(frame) {
    this.socket.send(JSON.stringify(frame));
  }

  /* Something to be done; a promise of it, or of the sentence why not. */
  order(type, fields = {}) {
    if (!this.ready) return Promise.reject(new Error("there is no connection at the moment"));
    this.count += 1;
    const id = this.count;
    return new Promise((resolve, reject) => {
      this.orders.set(id, { resolve, reject });
      this.say({ type, id, ...fields });
    });
  }
}
