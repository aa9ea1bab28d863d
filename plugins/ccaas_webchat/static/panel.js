/**
 * What is seen: the launcher, the panel, its messages and its composer, in a shadow root of their own.
 * It knows no protocol: `actions` are told what the customer does.
 */
class Panel {
  constructor(options, actions) {
    this.actions = actions;
    this.longest = 2_000;
    this.days = null;
    this.sheet = matchMedia("(max-width: 480px)");
    this.host = el("ccaas-chat", { "data-theme": options.theme, "data-side": options.side });
    const root = this.host.attachShadow({ mode: "open" });
    const style = new CSSStyleSheet();
    style.replaceSync(CSS);
    root.adoptedStyleSheets = [style];
    this.build(options);
    root.append(this.dialog, this.launcher);
    this.colour(options.color);
    this.listen();
    document.body.append(this.host);
  }

  build({ title, greeting }) {
    this.badge = el("span", { class: "badge", hidden: true, "aria-hidden": "true" });
    this.launcher = button("launcher", word("open"), icon("chat"), icon("close"), this.badge);
    this.launcher.setAttribute("aria-expanded", "false");
    this.launcher.setAttribute("aria-haspopup", "dialog");

    this.more = el("button", { class: "more", type: "button", hidden: true }, word("earlier"));
    this.greeting = el("div", { class: "greeting", dir: "auto", hidden: !greeting }, greeting);
    this.lines = el("div", { class: "lines" });
    this.log = el("div", { role: "log", "aria-live": "polite", "aria-label": word("conversation") }, this.greeting, this.lines);
    this.pending = el("div", { class: "lines pending" });
    this.dots = el("div", { class: "dots", hidden: true, "aria-hidden": "true" }, el("i"), el("i"), el("i"));
    this.scroll = el("div", { class: "scroll", tabindex: "0" }, this.more, this.log, this.pending, this.dots);
    this.below = button("below", word("new_below"), icon("down"));
    this.below.hidden = true;

    this.spoken = el("div", { role: "status", class: "aside" });
    this.notice = el("div", { class: "notice", hidden: true });

    this.input = el("textarea", { rows: "1", "aria-label": word("message"), placeholder: word("placeholder"), enterkeyhint: "send", dir: "auto" });
    this.input.setAttribute("aria-describedby", "count");
    this.count = el("div", { id: "count", class: "count", hidden: true });
    this.send = button("send", word("send"), icon("send"));
    this.send.type = "submit";
    this.form = el("form", { class: "composer" }, this.input, this.send, this.count);

    this.shut = button("shut", word("close"), icon("close"));
    this.heading = el("h2", { id: "title", dir: "auto", tabindex: "-1" }, title);
    this.dialog = el(
      "dialog",
      { "aria-labelledby": "title" },
      el("header", {}, this.heading, this.shut),
      this.notice,
      el("div", { class: "middle" }, this.scroll, this.below),
      this.form,
      this.spoken,
    );
  }

  listen() {
    this.launcher.onclick = () => (this.dialog.open ? this.close() : this.open());
    this.shut.onclick = () => this.close();
    this.more.onclick = () => this.actions.more();
    this.below.onclick = () => this.toEnd();
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
    this.dialog.addEventListener("keydown", (event) => {
      // What is typed here is not the host page's: its shortcuts must not fire.
      event.stopPropagation();
      if (event.key === "Escape" && !event.isComposing) {
        event.preventDefault();
        this.close();
      }
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.submit();
      }
    });
    this.input.addEventListener("input", () => {
      this.measure();
      this.actions.typing(this.input.value.trim() !== "");
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.scroll.addEventListener("scroll", () => this.atEnd() && (this.below.hidden = true), { passive: true });
    this.sheet.addEventListener("change", () => this.dialog.open && this.show());
    globalThis.visualViewport?.addEventListener("resize", () => this.fit());
    globalThis.visualViewport?.addEventListener("scroll", () => this.fit());
  }

  get isOpen() {
    return this.dialog.open;
  }

  open() {
    if (this.isOpen) return;
    this.show();
    this.launcher.setAttribute("aria-expanded", "true");
    this.label(0);
    this.toEnd();
    this.actions.opened();
  }

  /** Beside the page where there is room; where there is none, over it: then focus stays within. */
  show() {
    const typed = this.host.shadowRoot.activeElement;
    if (this.dialog.open) this.dialog.close();
    if (this.sheet.matches) this.dialog.showModal();
    else this.dialog.show();
    // On a phone, the keyboard would hide the conversation at once.
    const first = this.sheet.matches && matchMedia("(pointer: coarse)").matches ? this.heading : this.input;
    (typed && this.dialog.contains(typed) ? typed : first).focus();
    this.fit();
    this.measure();
  }

  close() {
    if (!this.isOpen) return;
    this.dialog.close();
    this.launcher.setAttribute("aria-expanded", "false");
    this.label(0);
    this.launcher.focus();
    this.actions.closed();
  }

  /** Above the on-screen keyboard. */
  fit() {
    const view = globalThis.visualViewport;
    if (!view) return;
    this.dialog.style.setProperty("--view-height", `${view.height}px`);
    this.dialog.style.setProperty("--view-top", `${view.offsetTop}px`);
    if (this.isOpen && this.sheet.matches && this.atEnd(200)) this.toEnd();
  }

  submit() {
    const text = this.input.value.trim();
    if (!text || [...text].length > this.longest) return;
    this.input.value = "";
    this.measure();
    this.actions.say(text);
    this.input.focus();
  }

  /** The composer grows with its text; who was at the end of the conversation stays there. */
  measure() {
    const follow = this.atEnd();
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 132)}px`;
    const left = this.longest - [...this.input.value.trim()].length;
    this.count.hidden = left > 100;
    this.count.classList.toggle("over", left < 0);
    this.count.textContent = left < 0 ? word("over", { count: -left }) : word("left", { count: left });
    this.input.setAttribute("aria-invalid", String(left < 0));
    this.send.disabled = left < 0 || this.input.value.trim() === "" || this.input.disabled;
    if (follow) this.toEnd();
  }

  /** All messages anew. What a screen reader has read is not read again. */
  render(lines, earlier) {
    this.log.setAttribute("aria-live", "off");
    const height = this.scroll.scrollHeight - this.scroll.scrollTop;
    const kept = this.lines.childElementCount > 0 && !this.atEnd();
    this.lines.replaceChildren();
    this.days = null;
    for (const line of lines) this.place(line);
    this.greeting.hidden = !this.greeting.textContent || earlier;
    this.more.hidden = !earlier;
    if (kept) this.scroll.scrollTop = this.scroll.scrollHeight - height;
    else this.toEnd();
    requestAnimationFrame(() => this.log.setAttribute("aria-live", "polite"));
  }

  /** One more message. */
  add(line) {
    const follow = this.atEnd() || line.side === "customer";
    this.place(line);
    if (follow) this.toEnd();
    else this.below.hidden = false;
  }

  place(line) {
    const day = dayName(line.at);
    if (day !== this.days) this.lines.append(el("div", { class: "day" }, day));
    this.days = day;
    if (line.side === "agent") this.markRead();
    this.lines.append(bubble(line, "sent"));
  }

  /** The agent has what was said so far: it answers. */
  markRead() {
    for (const old of this.lines.querySelectorAll(".tick.sent")) old.replaceWith(tick("read"));
  }

  /** What is not acknowledged yet, below all that is. `done(id, text)`: one that was not taken is removed, or with its text
   * sent again. */
  waiting(entries, done) {
    this.pending.replaceChildren(
      ...entries.map((entry) => {
        const node = bubble({ side: "customer", text: entry.text, at: entry.at }, "sending");
        if (entry.failed) {
          const gone = el("button", { type: "button", class: "link" }, word("remove"));
          gone.onclick = () => done(entry.id);
          const again = el("button", { type: "button", class: "link" }, word("again"));
          again.onclick = () => done(entry.id, entry.text);
          node.classList.add("failed");
          node.querySelector(".meta").replaceChildren(icon("warn"), `${entry.failed} `, again, " ", gone);
        }
        return node;
      }),
    );
  }

  typing(on) {
    const follow = this.atEnd();
    if (on) this.markRead();
    this.dots.hidden = !on;
    this.speak(on ? word("typing") : "");
    if (follow) this.toEnd();
  }

  /** A line above the conversation about the connection; with `action`, a button in it. */
  tell(text, { kind = "", action = "", act = null } = {}) {
    this.notice.hidden = !text;
    this.notice.className = `notice ${kind}`;
    if (action) {
      const go = el("button", { type: "button", class: "link" }, action);
      go.onclick = act;
      this.notice.replaceChildren(el("span", {}, text), go);
    } else {
      this.notice.replaceChildren(text);
    }
  }

  speak(text) {
    if (this.spoken.textContent !== text) this.spoken.textContent = text;
  }

  label(unread) {
    this.badge.hidden = unread === 0;
    this.badge.textContent = unread > 99 ? "99+" : String(unread);
    const closed = unread ? word("open_unread", { count: unread }) : word("open");
    this.launcher.setAttribute("aria-label", this.isOpen ? word("close") : closed);
    this.launcher.title = this.launcher.getAttribute("aria-label");
  }

  /** Nobody may write here. */
  lock(locked) {
    this.input.disabled = locked;
    this.measure();
  }

  atEnd(slack = 60) {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    return scrollHeight - scrollTop - clientHeight < slack;
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.below.hidden = true;
  }

  /** The site's colour, and black or white upon it, whichever is read more easily. */
  colour(value) {
    const parts = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(value ?? "");
    if (!parts) return;
    const [r, g, b] = parts.slice(1).map((part) => {
      const share = Number.parseInt(part, 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    this.host.style.setProperty("--accent", value);
    this.host.style.setProperty("--on-accent", 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#fff" : "#000");
  }
}

function button(name, label, ...children) {
  return el("button", { type: "button", class: name, "aria-label": label, title: label }, ...children);
}
