// What the server puts in: the texts and the style.
const WORDS = "%WORDS%";
const CSS = "%CSS%";

/** A text by its name, with {names} filled in. */
function word(name, values = {}) {
  return WORDS[name].replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}
