/* The sentiment radar: the score over time, what it is made of, and all of it as words. */
import { fill, h, hourTime, moodClass, moodWord, svg } from "../site/dom.js";

const HEIGHT = 96;
const PARTS = [["words", "Words"], ["prosody", "Voice"], ["trend", "Trend"]];
const figure = (value) => (value > 0 ? "+" : "") + value.toFixed(2).replace("-", "−");

function points(work) {
  const said = work.lines.filter((line) => line.score !== null && line.who === "customer").map((line) => [line.at, line.score]);
  const known = new Set(said.map(([at]) => at.toFixed(1)));
  const all = [...work.bundle.sentiment.filter(([at]) => !known.has(at.toFixed(1))), ...said];
  return all.sort((one, other) => one[0] - other[0]);
}

export function showRadar(body, work) {
  const curve = work ? points(work) : [];
  if (!curve.length) return fill(body, h("p", { className: "soft" }, work ? "Nothing has been felt yet." : "With a conversation, how the customer feels is drawn here."));
  const [, score] = curve.at(-1);
  const before = curve.length > 1 ? curve.at(-2)[1] : score;
  const way = score - before > 0.08 ? "getting worse" : before - score > 0.08 ? "getting better" : "steady";
  const parts = work.lines.findLast((line) => line.who === "customer" && Object.keys(line.parts).length)?.parts ?? {};
  fill(body,
    h("p", { className: "mood" }, h("strong", {}, moodWord(score)), h("span", { className: `tag number ${moodClass(score)}` }, figure(score)),
      h("span", { className: "soft" }, way)),
    drawn(curve, Math.max(200, body.clientWidth)),
    h("div", { className: "parts" }, PARTS.filter(([name]) => parts[name] !== undefined && parts[name] !== null).map(([name, label]) => part(label, parts[name]))),
    h("details", { data: { key: "radar-table" }, open: body.querySelector("details")?.open ?? false }, h("summary", {}, "As a table"), table(curve)),
  );
}

function drawn(curve, wide) {
  const first = curve[0][0];
  const width = Math.max(30, curve.at(-1)[0] - first);
  const x = (at) => 6 + ((at - first) / width) * (wide - 12);
  const y = (score) => HEIGHT / 2 - score * (HEIGHT / 2 - 6);
  const path = curve.map(([at, score], number) => `${number ? "L" : "M"}${x(at).toFixed(1)} ${y(score).toFixed(1)}`).join("");
  const level = (score, name) => svg("line", { class: name, x1: 0, x2: wide, y1: y(score), y2: y(score) });
  return svg("svg", { viewBox: `0 0 ${wide} ${HEIGHT}`, "aria-hidden": "true" },
    level(0.55, "grid"), level(0, "zero"), level(-0.3, "grid"),
    svg("path", { class: "area", d: `${path}L${x(curve.at(-1)[0]).toFixed(1)} ${y(0)}L${x(first)} ${y(0)}Z` }),
    svg("path", { class: "curve", d: path }),
    curve.slice(-40).map(([at, score]) => svg("circle", { class: moodClass(score), cx: x(at), cy: y(score), r: 3 })));
}

function part(label, value) {
  const bar = h("i", { className: moodClass(value) });
  const clipped = Math.max(-1, Math.min(1, value));
  bar.style.left = `${clipped < 0 ? 50 + clipped * 50 : 50}%`;
  bar.style.width = `${Math.max(1, Math.abs(clipped) * 50)}%`;
  return h("div", { className: "part" }, h("span", {}, label), h("span", { className: "bar", "aria-hidden": "true" }, bar), h("span", { className: "number" }, figure(value)));
}

function table(curve) {
  const rows = curve.slice(-12).reverse().map(([at, score]) => h("tr", {}, h("td", { className: "number" }, hourTime(at)), h("td", { className: "number" }, figure(score)), h("td", {}, moodWord(score))));
  return h("table", {}, h("thead", {}, h("tr", {}, ["at", "score", "seems"].map((word) => h("th", { scope: "col" }, word)))), h("tbody", {}, rows));
}
