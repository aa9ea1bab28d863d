/* Keys without Ctrl or Alt, outside of fields; they can be switched off. */
import { fill, h } from "../site/dom.js";

export const KEYS = [
  ["V", "be available"], ["W", "be away: choose why"], ["A", "answer, or take what is offered"], ["H", "hold, and go on"], ["M", "mute, and unmute"], ["K", "keypad"],
  ["T", "pass the call on"], ["B", "give the call or conversation back to the AI"], ["X", "hang up; finish what is written"], ["R", "write a reply"], ["1 – 9", "open one of your conversations"], ["C", "go to the conversation"], ["U", "go to the customer"],
  ["P", "go to what you can do"], ["L", "go to the timeline"], ["N", "go to the wrap-up's note"], ["?", "this list"],
];

export function listen(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || localStorage.getItem("keys") === "off") return;
    if (event.target.closest("input:not([type=radio]), textarea, select, dialog[open]")) return;
    const act = acts[event.key.toUpperCase()];
    if (act) { event.preventDefault(); act(); }
  });
}

export function help(dialog) {
  const box = h("input", { type: "checkbox", checked: localStorage.getItem("keys") !== "off", onchange: () => localStorage.setItem("keys", box.checked ? "on" : "off") });
  fill(dialog, h("h2", { id: "help-title" }, "Keys"),
    h("dl", { className: "legend" }, KEYS.map(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)])),
    h("p", {}, h("label", {}, box, " Keys are on (outside of fields)")),
    h("form", { method: "dialog", className: "row" }, h("button", { className: "primary" }, "Close")));
  dialog.showModal();
}
