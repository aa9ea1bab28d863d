/* Who it is, what they have and what we owe them: nothing of this need be asked again. */
import { addressed, dayOf, fill, h, hourTime } from "../site/dom.js";

const SURE = { verified: ["proved who they are", "good"], claimed: ["by their address; not proved", "warn"], none: ["not known", ""] };
const WHY = { upset: "is upset", wish: "asked for a person", transfer: "was passed on", callback: "waits for a call back", message: "wrote", incident: "has an incident of ours" };
const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", maximumFractionDigits: 0 });

const called = (one) => `${one?.first_name ?? ""} ${one?.last_name ?? ""}`.trim();

export const nameOf = (bundle) =>
  called(bundle.customer) || called(bundle.context?.profile) ||
  addressed(bundle.context?.identities?.[0]?.value || bundle.slots.ani) || "Somebody we do not know";

export const whyOf = (bundle) => WHY[bundle.why] ?? bundle.why;

export function showRecap(body, work) {
  if (!work) return fill(body);
  const { recap, queue, waited_s: waited } = work.bundle;
  fill(body,
    h("p", { className: "meta row" }, h("span", { className: "tag accent" }, `${nameOf(work.bundle)} ${whyOf(work.bundle)}`), h("span", { className: "soft" }, `${work.bundle.channel} · ${queue} · waited ${Math.round(waited)} s`)),
    h("dl", {}, [["Wants", recap.wants], ["Tried", recap.tried], ["Stands", recap.stands]].map(([name, text]) => [h("dt", {}, name), h("dd", { dir: "auto" }, text)])));
}

export function showCustomer(body, work) {
  if (!work) return fill(body, h("p", { className: "soft" }, "Nobody at the moment."));
  const { bundle } = work;
  const { context } = bundle;
  const [sure, kind] = SURE[bundle.assurance] ?? SURE.none;
  const tier = bundle.customer?.tier || context?.profile.tier;
  const value = context?.profile.lifetime_value_cents;
  fill(body,
    h("div", {}, h("p", { className: "customer-name" }, h("bdi", {}, nameOf(bundle))),
      h("p", { className: "row" }, tier && h("span", { className: "tag accent" }, tier), value ? h("span", { className: "tag" }, `worth ${money.format(value / 100)}`) : null, h("span", { className: `tag ${kind}` }, sure))),
    facts(bundle),
    list("Open with us", context?.threads ?? [], (thread) => [thread.title, h("small", {}, `${thread.state} · ${thread.channel} · ${dayOf(thread.updated_at)}${thread.missing.length ? ` · still to be told: ${thread.missing.join(", ")}` : ""}`)]),
    list("We have promised", context?.promises ?? [], (fact) => [fact.text, h("small", {}, fact.data.due ? `due ${dayOf(fact.data.due)} ${hourTime(fact.data.due)}` : `said ${dayOf(fact.at)}`)], "due"),
    list("Cases", context?.cases ?? [], (one) => [one.title, h("small", {}, `${one.state} · ${dayOf(one.opened_at)}`)]),
    consents(context?.consents ?? []),
    context?.last_outcome && h("p", { className: "soft" }, `Last time: ${context.last_outcome}`));
}

function facts({ slots, customer, context }) {
  const rows = [
    ...(context?.identities ?? []).map((one) => [one.kind, one.value]),
    ...(context?.profile.language ? [["language", context.profile.language]] : []),
    ...Object.entries(slots).map(([name, value]) => [name.replaceAll("_", " "), value]),
    ...Object.entries(customer?.attributes ?? {}).slice(0, 8).map(([name, value]) => [name.replaceAll("_", " "), value]),
  ];
  return rows.length ? h("dl", { className: "facts" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", { dir: "auto" }, String(value))])) : null;
}

function list(title, items, inner, kind = "") {
  return items.length ? h("div", {}, h("h3", {}, title), h("ul", { className: "items" }, items.map((item) => h("li", { className: kind, dir: "auto" }, inner(item))))) : null;
}

function consents(all) {
  if (!all.length) return null;
  return h("div", {}, h("h3", {}, "Consents"), h("p", { className: "row" }, all.map((one) =>
    h("span", { className: `tag ${one.granted ? "good" : "bad"}` }, `${one.channel} ${one.purpose}: ${one.granted ? "yes" : "no"}`))));
}
