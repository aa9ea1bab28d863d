/**
 * What the browser keeps: the session and its secret, how far the customer has read, and what is not yet
 * acknowledged, or was not taken (`failed` says why). Every change reads what is there first: other tabs of this site write to the same place.
 * Where storage is forbidden, it lasts as long as the page.
 */
class Memory {
  constructor(key) {
    this.key = key;
    this.fallback = "{}";
  }

  get() {
    let kept = null;
    try {
      kept = JSON.parse(this.raw());
    } catch {
      // Not ours: as if there were nothing.
    }
    const text = (value) => (typeof value === "string" ? value : "");
    const entry = ({ id, text: said, at, who, failed }) => ({
      id: text(id),
      text: text(said),
      at: Number(at) || 0,
      who: text(who),
      failed: text(failed),
    });
    const outbox = Array.isArray(kept?.outbox) ? kept.outbox : [];
    return {
      session: text(kept?.session),
      resume: text(kept?.resume),
      read: Number(kept?.read) || 0,
      outbox: outbox.map((one) => entry(one ?? {})).filter(({ id, text: said }) => id && said),
    };
  }

  set(change) {
    const text = JSON.stringify({ ...this.get(), ...change });
    this.fallback = text;
    try {
      localStorage.setItem(this.key, text);
    } catch {
      // Forbidden or full: the page goes on with what it has.
    }
  }

  queue(entry) {
    this.set({ outbox: [...this.get().outbox, entry] });
  }

  /** It was not taken: it stays until the customer sends it again or removes it. */
  fail(id, failed) {
    this.set({ outbox: this.get().outbox.map((one) => (one.id === id ? { ...one, failed } : one)) });
  }

  settle(id) {
    const { outbox } = this.get();
    if (outbox.some((one) => one.id === id)) this.set({ outbox: outbox.filter((one) => one.id !== id) });
  }

  raw() {
    try {
      return localStorage.getItem(this.key) ?? this.fallback;
    } catch {
      return this.fallback;
    }
  }
}
