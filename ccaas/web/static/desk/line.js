/* The softphone's line: the module of the page, kept connected, and what the microphone says. */
import { Softphone, microphoneTrouble } from "/static/softphone.js";
import { announce } from "../site/dom.js";

export class Line extends EventTarget {
  constructor(csrf) {
    super();
    this.trouble = "";
    this.phone = new Softphone({ credentials: async () => {
      const answer = await fetch("/softphone", { method: "POST", headers: { "X-Ccaas-Csrf": csrf() } });
      if (answer.ok) return answer.json();
      const error = new Error((await answer.text()).trim() || "There is no telephone line here.");
      error.final = answer.status === 401 || answer.status === 403 || answer.status === 404;
      throw error;
    } });
    for (const type of ["registered", "ringing", "calling", "answered", "held", "muted", "ended", "lost", "back", "closed"]) {
      this.phone.addEventListener(type, (event) => this.happened(type, event.detail));
    }
  }

  happened(type, detail) {
    if (type === "registered" || type === "back") this.trouble = "";
    if (type === "lost" || type === "closed") this.trouble = detail.text;
    if (type === "ended" && detail.reason === "microphone") { this.trouble = detail.text; announce(detail.text, true); }
    this.dispatchEvent(new CustomEvent("changed", { detail: type }));
  }

  async connect() {
    try {
      await this.phone.connect();
    } catch (error) {
      this.trouble = error.message;
      this.dispatchEvent(new CustomEvent("changed", { detail: "closed" }));
    }
  }

  /* Before the first call, so that no question of the browser stands between it and the caller. */
  async askMicrophone() {
    try {
      await this.phone.prepare();
      this.trouble = "";
    } catch (error) {
      this.trouble = microphoneTrouble(error);
    }
    this.dispatchEvent(new CustomEvent("changed", { detail: "microphone" }));
  }
}
