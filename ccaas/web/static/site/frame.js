/* The head of every page: name, navigation, connection, account, colours. */
import { announce, byId, fill, h } from "./dom.js";

const SCHEMES = ["auto", "light", "dark"];

export async function whoAmI() {
  const answer = await fetch("/me", { headers: { Accept: "application/json" } });
  if (answer.status === 401) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
    return new Promise(() => {});
  }
  return answer.json();
}

function applyScheme(scheme) {
  if (scheme === "auto") delete document.documentElement.dataset.scheme;
  else document.documentElement.dataset.scheme = scheme;
}

export function head(me, more = []) {
  applyScheme(localStorage.getItem("scheme") ?? "auto");
  byId("installation").textContent = me.installation;
  const links = me.pages.map((page) =>
    h("li", {}, h("a", { href: page.path, "aria-current": page.path === location.pathname ? "page" : null }, page.title)));
  fill(byId("pages"), links.length > 1 ? links : []);
  const scheme = h("button", { type: "button", onclick: () => {
    const now = localStorage.getItem("scheme") ?? "auto";
    const next = SCHEMES[(SCHEMES.indexOf(now) + 1) % SCHEMES.length];
    localStorage.setItem("scheme", next);
    applyScheme(next);
    scheme.textContent = `Colours: ${next}`;
  } }, `Colours: ${localStorage.getItem("scheme") ?? "auto"}`);
  const menu = byId("account");
  menu.replaceChildren(
    h("summary", {}, me.name, h("span", { className: "soft" }, ` ${me.role}`)),
    h("div", {}, more, scheme,
      h("button", { type: "button", onclick: () => leave(me, "") }, "Sign out"),
      h("button", { type: "button", onclick: () => leave(me, "?everywhere") }, "Sign out everywhere")),
  );
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { menu.open = false; menu.querySelector("summary").focus(); }
  });
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
}

async function leave(me, query) {
  await fetch(`/sign-out${query}`, { method: "POST", headers: { "X-Ccaas-Csrf": me.csrf } });
  location.assign("/sign-in");
}

/* Shows how the connection is; what it returns is for `Connection`. */
export function linkShown({ lostS = () => 10, superseded }) {
  let ticking;
  return (state, { again, since } = {}) => {
    clearInterval(ticking);
    const link = byId("link");
    const notice = byId("lost");
    link.dataset.link = state === "open" ? "open" : "lost";
    link.textContent = state === "open" ? "Connected" : "Not connected";
    notice.hidden = state !== "lost";
    if (state === "open" && again) announce("Connected again.");
    if (state === "superseded") superseded();
    if (state !== "lost") return;
    let told = "";
    const tell = () => {
      const gone = (Date.now() - since) / 1000;
      const text = gone < lostS()
        ? "The connection is lost. It comes back by itself; a call that you are having goes on."
        : "The connection is lost, and the queues have signed you out until it is back. A call that you are having goes on.";
      if (text !== told) { told = text; notice.textContent = text; announce(text, true); }
    };
    if (Date.now() - since > 1_500) tell();
    else notice.hidden = true;
    ticking = setInterval(() => { if (Date.now() - since > 1_500) { notice.hidden = false; tell(); } }, 500);
  };
}
