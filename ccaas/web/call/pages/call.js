// The caller's page: one button, and plain words for whatever goes wrong.

import { Softphone, microphoneTrouble } from "/static/softphone.js";

const el = (id) => document.getElementById(id);
const page = document.querySelector("main");
const button = el("call");
const KEYS = { 1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", "*": "star", 0: "zero", "#": "hash" };
const QUIET_S = 6;

// Why the site gave no telephone; the softphone does not try again then.
class Refused extends Error {
  final = true;

  constructor(message, mend) {
    super(message);
    refused = { message, mend };
  }
}

const ANSWERS = {
  429: ["You have called several times in a moment.", "Wait a minute, and try again."],
  503: ["All our lines are busy.", "Try again in a minute."],
  502: ["Our telephones do not work at the moment.", "Try again in a few minutes."],
};

async function credentials() {
  let answer;
  try {
    answer = await fetch("/call", { method: "POST" });
  } catch {
    throw new Refused("We cannot be reached.", "Look whether this device is connected to the internet, and try again.");
  }
  if (answer.ok) return answer.json();
  throw new Refused(...(ANSWERS[answer.status] ?? ["This call is not possible.", "Load this page again, and try once more."]));
}

let phone = null;
let given = null;
let began = 0;
let clock = 0;
let heardMe = 0;
let captions = null;
let refused = null;

function show(state, text) {
  page.dataset.state = state;
  el("status").textContent = text;
  button.classList.toggle("stop", state !== "idle");
  button.querySelector("span").textContent = state === "idle" ? "Call now" : "Hang up";
}

function trouble(what, mend = "") {
  el("what").textContent = what;
  el("mend").textContent = mend;
  el("trouble").hidden = what === "";
}

function finish(text) {
  phone?.disconnect();
  phone = null;
  given = null;
  captions?.close();
  captions = null;
  clearInterval(clock);
  el("clock").hidden = true;
  el("quiet").hidden = true;
  el("keypad").hidden = true;
  el("keys").setAttribute("aria-expanded", "false");
  el("mute").setAttribute("aria-pressed", "false");
  show("idle", text);
}

async function begin() {
  trouble("");
  el("said").replaceChildren();
  document.querySelector(".said").hidden = true;
  if (!isSecureContext || !navigator.mediaDevices) {
    trouble("This browser gives no microphone to this page.", "Open the page with https://, or on the machine itself.");
    return;
  }
  show("asking", "Please allow the microphone …");
  const mine = new Softphone({ register: false, credentials: async () => (given ??= await credentials()) });
  phone = mine;
  for (const [type, listener] of Object.entries(listeners)) {
    mine.addEventListener(type, (event) => phone === mine && listener(event.detail));
  }
  try {
    await mine.prepare();
  } catch (error) {
    if (phone !== mine) return;
    finish("No call was made.");
    trouble("There is no microphone to talk with.", microphoneTrouble(error));
    return;
  }
  if (phone !== mine) return;
  show("calling", "Calling …");
  mine.meter(true);
  try {
    await mine.connect();
  } catch {
    return; // `closed` has said why
  }
  if (phone === mine) mine.call("call");
}

const listeners = {
  answered() {
    show("talking", "You are connected. Just speak.");
    began = heardMe = Date.now();
    el("clock").hidden = false;
    clock = setInterval(tick, 1000);
    tick();
    listen();
  },
  ended({ reason, ours, text }) {
    const mended = { busy: "Try again in a minute.", connection: "Look at your connection, and call again.", failed: "Load this page again, and try once more." };
    finish(began ? "The call has ended." : "No call was made.");
    if (!ours && reason !== "hung up") trouble(text, mended[reason] ?? "");
    if (reason === "microphone") trouble("There is no microphone to talk with.", text);
    began = 0;
  },
  lost() {
    if (page.dataset.state === "talking") show("talking", "The connection is shaky; the call goes on …");
    else show("calling", "The connection was lost. Trying again …");
  },
  back() {
    if (page.dataset.state === "talking") show("talking", "You are connected.");
    else phone.call("call");
  },
  closed({ text }) {
    finish("No call was made.");
    const last = refused;
    refused = null;
    trouble(last?.message ?? text, last?.mend ?? "");
  },
  muted({ on }) {
    el("mute").setAttribute("aria-pressed", String(on));
    if (on) el("quiet").hidden = true;
  },
  level({ local, remote }) {
    el("mine").style.transform = `scaleX(${phone.muted ? 0 : local})`;
    el("theirs").style.transform = `scaleX(${remote})`;
    if (local > 0.2) heardMe = Date.now();
    el("quiet").hidden = page.dataset.state !== "talking" || phone.muted || Date.now() - heardMe < QUIET_S * 1000 || local > 0.02;
  },
};

function tick() {
  const seconds = Math.floor((Date.now() - began) / 1000);
  el("clock").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

// What is said, as it is written down on our side.
function listen() {
  captions = new EventSource(given.captions);
  captions.addEventListener("said", (event) => {
    const { id, who, text } = JSON.parse(event.data);
    let line = [...el("said").children].find((one) => one.dataset.id === id);
    if (!line) {
      line = document.createElement("li");
      line.className = who === "customer" ? "mine" : "";
      line.dataset.id = id;
      el("said").append(line);
    }
    line.textContent = text;
    line.scrollIntoView({ block: "nearest" });
    document.querySelector(".said").hidden = false;
  });
}

function press(key) {
  if (page.dataset.state === "talking") phone.dtmf(key);
}

for (const [key, name] of Object.entries({ ...KEYS })) {
  const one = document.createElement("button");
  one.type = "button";
  one.textContent = key;
  one.setAttribute("aria-label", name);
  one.addEventListener("click", () => press(key));
  el("keypad").append(one);
}
// Objects list their numbers first: star, zero and hash belong into the last row.
el("keypad").append(...["*", "0", "#"].map((key) => [...el("keypad").children].find((one) => one.textContent === key)));

button.addEventListener("click", () => {
  if (phone === null) begin();
  else if (phone.state === "talking" || phone.state === "calling") phone.hangup();
  else finish("No call was made.");
});
el("mute").addEventListener("click", () => phone?.mute(!phone.muted));
el("keys").addEventListener("click", () => {
  el("keypad").hidden = !el("keypad").hidden;
  el("keys").setAttribute("aria-expanded", String(!el("keypad").hidden));
});
addEventListener("keydown", (event) => {
  if (event.key in KEYS && !event.ctrlKey && !event.metaKey && !event.altKey) press(event.key);
});
addEventListener("pagehide", () => phone?.disconnect());
