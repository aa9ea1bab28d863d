// The softphone of a page: SIP over this site's own WebSocket, audio by WebRTC. Around JsSIP, which it loads by itself.
//
//   import { Softphone } from "/static/softphone.js";
//   const phone = new Softphone({ credentials: async () => (await fetch("/softphone", {method: "POST", headers})).json() });
//   phone.addEventListener("ringing", (event) => …event.detail…);
//   await phone.connect();
//
// credentials()   an async function that fetches {user, password, path} anew: asked at `connect`, and again after every
//                 lost connection, since they live no longer than the telephone system's memory. It throws an Error with
//                 `final = true` where trying again makes no sense (signed out).
// Options         {credentials, register = true, microphone = {…constraints}, tones = true}. register: whether it can be called.
//
// Methods (all but connect return at once; the events tell what came of it)
//   connect()           → Promise<void>, resolved when the line stands (registered, or connected where register = false)
//   disconnect()        hangs up and lets go of the line for good
//   prepare()           → Promise<MediaStream>: asks for the microphone now, so that the first call need not; throws
//                       DOMException (NotAllowedError, NotFoundError, NotReadableError)
//   call(number, headers = {})   calls out
//   answer() reject()   the call that rings
//   hangup()            whatever there is
//   hold(on) mute(on)   on = true or false
//   dtmf(keys)          "0"–"9", "*", "#"; several at once are sent one after the other
// Properties
//   state               "offline" | "idle" | "ringing" | "calling" | "talking" (one call at a time; a second is refused as busy)
//   held, muted         booleans
//   remote              MediaStream of what the far end says (null without a call): level meters, recorders
//   local               MediaStream of the microphone (null before it was allowed)
//   peer                RTCPeerConnection of the call (null without one): getStats() and the like
//   sink                the HTMLAudioElement that plays; setSinkId() chooses another loudspeaker
//
// Events (CustomEvent; what they carry is in `detail`)
//   registered {}       the line stands: it can be called
//   ringing {from, name, headers}   somebody calls; headers: name → value of X-… headers
//   calling {}          our own call goes out;  progress {}: it rings there
//   answered {}         both sides are connected
//   held {on}   muted {on}
//   ended {reason, ours, text}   reason: "hung up" | "busy" | "rejected" | "no answer" | "not found" | "unavailable" | "cancelled" |
//                       "microphone" | "connection" | "failed"; ours: whether this side ended it; text: a sentence for people
//   lost {text}         the line is gone; it comes back by itself, after 1, 2, 4 … 15 s. A call that is up goes on: its audio
//                       does not take this way
//   back {}             the line stands again (`registered` follows where it registers)
//   closed {text}       the line will not come back by itself: another page has taken it, or nobody is signed in
//   level {local, remote}   loudness of both sides, 0…1, ten times a second while `meter(true)` is on

const JSSIP = new URL("vendor/jssip.min.js", import.meta.url);
const LONGEST_PAUSE_MS = 15000;
const VOICE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

let loading = null;

function jssip() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = JSSIP;
    script.onload = () => resolve(window.JsSIP);
    script.onerror = () => {
      loading = null;
      reject(new Error("The softphone could not be loaded."));
    };
    document.head.append(script);
  });
  return loading;
}

// JsSIP's causes, and what they mean for people.
const REASONS = {
  Terminated: ["hung up", "The call has ended."],
  Canceled: ["cancelled", "The caller has given up."],
  "No Answer": ["no answer", "Nobody answered."],
  Expires: ["no answer", "Nobody answered."],
  Busy: ["busy", "The line is busy."],
  Rejected: ["rejected", "The call was refused."],
  "Not Found": ["not found", "This number does not exist."],
  "Address Incomplete": ["not found", "This number does not exist."],
  Unavailable: ["unavailable", "Nobody can be reached there now."],
  "User Denied Media Access": ["microphone", "The microphone may not be used. Allow it in the browser, and call again."],
  "Connection Error": ["connection", "The connection was lost."],
  "Request Timeout": ["connection", "The telephone system does not answer."],
  "RTP Timeout": ["connection", "The connection was lost."],
  "Authentication Error": ["failed", "The telephone system did not accept this page. Load it again."],
};

const MICROPHONE = {
  NotAllowedError: "The microphone may not be used. Allow it in the browser, and call again.",
  NotFoundError: "There is no microphone. Connect one, and call again.",
  NotReadableError: "Another program is using the microphone. Close it, and call again.",
};

export function microphoneTrouble(error) {
  return MICROPHONE[error?.name] ?? "The microphone does not work. Check it, and call again.";
}

export class Softphone extends EventTarget {
  #options;
  #ua = null;
  #session = null;
  #line = "closed"; // closed, opening, open, lost
  #tries = 0;
  #timer = 0;
  #wanted = false;
  #ours = false;
  #local = null;
  #remote = null;
  #audio = null;
  #meter = null;

  constructor(options) {
    super();
    this.#options = { register: true, microphone: VOICE, tones: true, ...options };
    this.sink = new Audio();
    this.sink.autoplay = true;
    addEventListener("online", () => this.#soon());
  }

  get state() {
    const session = this.#session;
    if (session === null) return this.#line === "open" ? "idle" : "offline";
    if (session.isEstablished()) return "talking";
    return session.direction === "incoming" ? "ringing" : "calling";
  }

  get held() {
    return this.#session?.isOnHold().local ?? false;
  }

  get muted() {
    return this.#session?.isMuted().audio ?? false;
  }

  get local() {
    return this.#local;
  }

  get remote() {
    return this.#remote;
  }

  get peer() {
    return this.#session?.connection ?? null;
  }

  async connect() {
    this.#wanted = true;
    this.#tries = 0;
    const stands = new Promise((resolve, reject) => {
      this.addEventListener("registered", resolve, { once: true });
      this.addEventListener("closed", (event) => reject(new Error(event.detail.text)), { once: true });
    });
    this.#open();
    await stands;
  }

  disconnect() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.hangup();
    this.#line = "closed";
    this.#drop();
    this.meter(false);
    this.#local?.getTracks().forEach((track) => track.stop());
    this.#local = null;
  }

  async prepare() {
    const live = this.#local?.getAudioTracks().some((track) => track.readyState === "live");
    if (!live) this.#local = await navigator.mediaDevices.getUserMedia({ audio: this.#options.microphone });
    return this.#local;
  }

  async call(number, headers = {}) {
    if (this.#session !== null || this.#ua === null) return;
    let stream;
    try {
      stream = await this.prepare();
    } catch (error) {
      this.#tell("ended", { reason: "microphone", ours: true, text: microphoneTrouble(error) });
      return;
    }
    if (this.#session !== null || this.#ua === null) return;
    this.#ours = false;
    const extraHeaders = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    this.#ua.call(number, { mediaStream: stream, extraHeaders, pcConfig: { iceServers: [] }, rtcOfferConstraints: {} });
    this.#tell("calling", {});
  }

  async answer() {
    const session = this.#session;
    if (session === null || session.direction !== "incoming" || session.isEstablished()) return;
    let stream;
    try {
      stream = await this.prepare();
    } catch (error) {
      this.#ours = true;
      session.terminate({ status_code: 480 });
      this.#tell("ended", { reason: "microphone", ours: true, text: microphoneTrouble(error) });
      return;
    }
    if (this.#session === session && !session.isEnded()) {
      session.answer({ mediaStream: stream, pcConfig: { iceServers: [] } });
    }
  }

  reject() {
    if (this.state === "ringing") {
      this.#ours = true;
      this.#session.terminate({ status_code: 486 });
    }
  }

  hangup() {
    if (this.#session !== null && !this.#session.isEnded()) {
      this.#ours = true;
      this.#session.terminate();
    }
  }

  hold(on) {
    if (this.state !== "talking") return;
    on ? this.#session.hold() : this.#session.unhold();
  }

  mute(on) {
    if (this.#session === null) return;
    on ? this.#session.mute({ audio: true }) : this.#session.unmute({ audio: true });
  }

  dtmf(keys) {
    if (this.state === "talking") this.#session.sendDTMF(keys, { transportType: "RFC2833", duration: 160, interToneGap: 80 });
  }

  // — the line —

  async #open() {
    if (!this.#wanted || this.#line === "opening" || this.#line === "open") return;
    const again = this.#line === "lost";
    this.#line = "opening";
    let library;
    let given;
    try {
      library = await jssip();
      given = await this.#options.credentials();
    } catch (error) {
      this.#line = "lost";
      if (error.final) this.#shut(error.message);
      else this.#failed(error.message || "The connection was lost.");
      return;
    }
    if (!this.#wanted) return;
    this.#drop();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new library.WebSocketInterface(`${scheme}://${location.host}${given.path}`);
    const ua = new library.UA({
      sockets: [socket],
      uri: `sip:${given.user}@ccaas.invalid`,
      // Its own name here too: what comes from this page is refused unless it says that it does.
      contact_uri: `sip:${given.user}@page.invalid;transport=ws`,
      authorization_user: given.user,
      password: given.password,
      register: this.#options.register,
      register_expires: 120,
      session_timers: false,
      user_agent: "ccaas softphone",
      // During a call only; without one, a new line with fresh credentials takes its place.
      connection_recovery_min_interval: 2,
      connection_recovery_max_interval: 15,
    });
    this.#ua = ua;
    ua.on("connected", () => {
      if (!this.#options.register) this.#stands(ua, again);
    });
    ua.on("registered", () => this.#stands(ua, again));
    ua.on("registrationFailed", ({ response }) => {
      if (this.#ua !== ua || this.#line === "closed") return;
      const refused = response?.status_code === 401 || response?.status_code === 403;
      // Another page has fetched credentials of its own since: this one's are void.
      if (refused && this.#tries === 0 && this.#line === "open") this.#shut("Another window has taken this telephone.");
      else this.#failed("The telephone system did not accept this page.");
    });
    ua.on("disconnected", () => {
      if (this.#ua === ua) this.#failed("The connection was lost.");
    });
    ua.on("newRTCSession", ({ session, request, originator }) => this.#begun(session, request, originator));
    ua.start();
  }

  #stands(ua, again) {
    if (this.#ua !== ua || this.#line === "open") return;
    again ||= this.#line === "lost";
    this.#line = "open";
    this.#tries = 0;
    if (again) this.#tell("back", {});
    this.#tell("registered", {});
  }

  #failed(text) {
    if (!this.#wanted || this.#line === "closed") return;
    if (this.#tries === 0) this.#tell("lost", { text });
    this.#line = "lost";
    const pause = Math.min(1000 * 2 ** this.#tries, LONGEST_PAUSE_MS);
    this.#tries += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#soon(), pause * (0.75 + Math.random() / 2));
  }

  #soon() {
    clearTimeout(this.#timer);
    if (this.#line !== "lost") return;
    // A call that is up keeps its line, which comes back by itself: a new one would know nothing of the call.
    if (!this.#session?.isEstablished()) this.#open();
  }

  #shut(text) {
    this.#wanted = false;
    this.#line = "closed";
    this.#drop();
    this.#tell("closed", { text });
  }

  #drop() {
    const ua = this.#ua;
    this.#ua = null;
    if (ua === null) return;
    ua.removeAllListeners();
    ua.stop();
  }

  // — the call —

  #begun(session, request, originator) {
    if (this.#session !== null) {
      session.terminate({ status_code: 486 });
      return;
    }
    this.#session = session;
    this.#ours = false;
    const listen = (peer) => {
      peer.addEventListener("track", (event) => {
        this.#remote = event.streams[0] ?? new MediaStream([event.track]);
        this.sink.srcObject = this.#remote;
        this.sink.play().catch(() => {}); // Without a click before it, it waits for the next one.
      });
    };
    if (session.connection) listen(session.connection);
    else session.on("peerconnection", ({ peerconnection }) => listen(peerconnection));
    // On one machine or one network all candidates are there at once: no call waits for more.
    session.on("icecandidate", ({ candidate, ready }) => {
      if (candidate.type === "host") setTimeout(ready, 100);
    });
    session.on("progress", ({ originator: whose }) => whose === "remote" && this.#tell("progress", {}));
    session.on("confirmed", () => this.#session === session && this.#tell("answered", {}));
    session.on("hold", ({ originator: whose }) => whose === "local" && this.#tell("held", { on: true }));
    session.on("unhold", ({ originator: whose }) => whose === "local" && this.#tell("held", { on: false }));
    session.on("muted", () => this.#tell("muted", { on: true }));
    session.on("unmuted", () => this.#tell("muted", { on: false }));
    const over = ({ cause, originator: whose }) => this.#over(session, cause, whose);
    session.on("ended", over);
    session.on("failed", over);
    if (originator === "remote") {
      const headers = {};
      for (const [name, values] of Object.entries(request.headers)) {
        if (name.startsWith("X-")) headers[name] = values[0].raw;
      }
      const from = request.from;
      this.#tell("ringing", { from: from.uri.user, name: from.display_name ?? "", headers });
    }
  }

  #over(session, cause, whose) {
    if (this.#session !== session) return;
    this.#session = null;
    this.#remote = null;
    this.sink.srcObject = null;
    const [reason, text] = REASONS[cause] ?? ["failed", "The call did not work. Try again."];
    const ours = this.#ours || whose === "local";
    this.#tell("ended", { reason: ours && reason === "cancelled" ? "hung up" : reason, ours, text });
    if (this.#line === "lost") this.#soon();
  }

  // — loudness —

  meter(on) {
    clearInterval(this.#meter);
    this.#meter = null;
    if (!on) {
      this.#audio?.close();
      this.#audio = null;
      return;
    }
    this.#audio = new AudioContext();
    const taps = {};
    const tap = (side, stream) => {
      if (stream === null) return 0;
      if (taps[side]?.stream !== stream) {
        const analyser = this.#audio.createAnalyser();
        analyser.fftSize = 1024;
        this.#audio.createMediaStreamSource(stream).connect(analyser);
        taps[side] = { stream, analyser, samples: new Float32Array(1024) };
      }
      const { analyser, samples } = taps[side];
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      // −60 dB is silence, −10 dB is loud.
      return Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 60) / 50));
    };
    this.#meter = setInterval(() => {
      this.#tell("level", { local: tap("local", this.#local), remote: tap("remote", this.#remote) });
    }, 100);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
