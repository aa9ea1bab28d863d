/* Dialogs that ask for something. They close when it is done; what is refused stays, with what was written and the reason. */
import { h } from "./dom.js";

export const telephoneField = (attributes) => h("input", { type: "tel", name: "number", placeholder: "+15550100", autocomplete: "off", maxLength: 40, ...attributes });
export const refusal = () => h("p", { className: "problem", role: "alert", hidden: true });

/* Whether it was done. */
export async function closes(dialog, problem, act) {
  problem.hidden = true;
  try {
    await act();
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
    return false;
  }
  dialog.close();
  return true;
}
