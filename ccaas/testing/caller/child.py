"""The caller's child process: SIP by PJSIP (GPL, which is why it is a process of its own), audio by `line`.

    python -m ccaas.testing.caller.child <file descriptor of the socket pair> <server host> <server port> <log file>

PJSIP runs without threads and without a sound device: nothing clocks its conference bridge, so its own media sends and
costs nothing. Its session descriptions are changed to name our socket, and what it negotiated tells us where to send.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec
import pjsua2 as pj
import uvloop

from ccaas.ports.media import Codec
from ccaas.testing.caller import wire
from ccaas.testing.caller.line import Line
from ccaas.testing.caller.sdp import redirect_audio

_POLL_S = 0.05
"""How often PJSIP's timers are looked at; what arrives for it is taken at once."""

MAX_CALLS = 4
"""The wheel's compiled-in limit (PJSUA_MAX_CALLS)."""

_CODECS = {"PCMU": Codec.ULAW, "PCMA": Codec.ALAW, "G722": Codec.G722}
_LEAVE_S = 3.0


class PhoneCall(pj.Call):  # type: ignore[misc]  # the wheel has no type stubs
    """PJSIP's call, its events turned into ours."""

    def __init__(
        self, account: pj.Account, number: int, codecs: tuple[str, ...], phone: Phone, sip_id: int = -1
    ) -> None:
        super().__init__(account, sip_id)
        self.number = number
        self.line = Line(number, phone.report)
        self.hung_up = False
        self._codecs = codecs
        self._phone = phone
        self._cause = 0
        self._up = False

    def onCallSdpCreated(self, prm: pj.OnCallSdpCreatedParam) -> None:
        prm.sdp.wholeSdp = redirect_audio(prm.sdp.wholeSdp, self.line.port, self._codecs)

    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:
        info_of_call = self.getInfo()  # Kept: its media are freed with it
        media = info_of_call.media[0]
        if media.status == pj.PJSUA_CALL_MEDIA_NONE:
            return
        info = self.getStreamInfo(0)
        host, port = info.remoteRtpAddress.rsplit(":", 1)
        held = media.status == pj.PJSUA_CALL_MEDIA_REMOTE_HOLD
        holding = media.status == pj.PJSUA_CALL_MEDIA_LOCAL_HOLD
        if info.dir & pj.PJMEDIA_DIR_ENCODING:
            self.line.aim((host, int(port)), _CODECS[info.codecName], info.txPt, info.audTxEventPt)
        else:
            self.line.pause()
        self._phone.report(wire.Media(self.number, info.codecName, held, holding))

    def onCallTsxState(self, prm: pj.OnCallTsxStateParam) -> None:
        event = prm.e.body.tsxState
        if event.type == pj.PJSIP_EVENT_RX_MSG:
            cause = re.search(r"^Reason:.*Q\.850.*cause=(\d+)", event.src.rdata.wholeMsg, re.IGNORECASE | re.MULTILINE)
            if cause:
                self._cause = int(cause[1])

    def onCallState(self, prm: pj.OnCallStateParam) -> None:
        info = self.getInfo()
        now = time.monotonic_ns()
        if info.state == pj.PJSIP_INV_STATE_EARLY:
            self._phone.report(wire.Progress(self.number, info.lastStatusCode, now))
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED and not self._up:
            self._up = True
            self._phone.report(wire.Answered(self.number, now))
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.line.close()
            self._phone.report(
                wire.Ended(self.number, info.lastStatusCode, info.lastReason, self._cause, self.hung_up, now)
            )
            self._phone.forget(self)

    def onCallTransferRequest(self, prm: pj.OnCallTransferRequestParam) -> None:
        prm.newCall = self._phone.transferred(self, prm.dstUri)


class PhoneAccount(pj.Account):  # type: ignore[misc]
    """PJSIP's account: incoming calls and registration."""

    def __init__(self, phone: Phone) -> None:
        super().__init__()
        self._phone = phone
        self.answered = False
        """Whether the newest REGISTER has had its final answer."""

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:
        self._phone.incoming(prm.callId)

    def onRegState(self, prm: pj.OnRegStateParam) -> None:
        self.answered = True
        self._phone.report(wire.SignedIn(0, prm.code, prm.reason))

    def onInstantMessage(self, prm: pj.OnInstantMessageParam) -> None:
        self._phone.report(wire.TextHeard(0, prm.fromUri, prm.msgBody))

    def onInstantMessageStatus(self, prm: pj.OnInstantMessageStatusParam) -> None:
        self._phone.written(int(prm.code))


class Phone:
    """One SIP endpoint with many calls."""

    def __init__(self, host: str, port: int, log: str, report: Callable[[wire.Event], None]) -> None:
        self.report = report
        self._server = f"{host}:{port}"
        self._calls: dict[int, PhoneCall] = {}
        self._gone: list[PhoneCall] = []
        self._writing: deque[tuple[int, pj.Buddy]] = deque()
        self._incoming = 0
        self._endpoint = pj.Endpoint()
        self._endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = MAX_CALLS
        config.uaConfig.userAgent = "ccaas test caller"
        config.medConfig.threadCnt = 0
        config.logConfig.consoleLevel = 0
        config.logConfig.level = 4 if log else 0
        config.logConfig.filename = log
        self._endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.boundAddress = "127.0.0.1"
        self._transport = self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        self.port = int(self._endpoint.transportGetInfo(self._transport).localName.rsplit(":", 1)[1])
        self._endpoint.audDevManager().setNoDev()
        for codec in self._endpoint.codecEnum2():
            wanted = codec.codecId.split("/")[0] in _CODECS
            self._endpoint.codecSetPriority(codec.codecId, 128 if wanted else 0)
        self._endpoint.libStart()
        self._account = PhoneAccount(self)
        self._account.create(self._account_config("", ""))

    def _account_config(self, user: str, password: str) -> pj.AccountConfig:
        config = pj.AccountConfig()
        config.idUri = f"sip:{user or 'caller'}@{self._server}"
        config.sipConfig.transportId = self._transport
        media = pj.TransportConfig()
        media.boundAddress = "127.0.0.1"
        config.mediaConfig.transportConfig = media
        if user:
            config.regConfig.registrarUri = f"sip:{self._server}"
            config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
        return config

    def poll(self) -> None:
        """Let PJSIP work off what has arrived; never waits."""
        self._endpoint.libHandleEvents(0)
        self._gone.clear()  # Only outside the callbacks may a call object be freed

    def do(self, command: wire.AnyCommand) -> None:
        """Carry out one command; what cannot be done is reported."""
        try:
            self._do(command)
        except pj.Error as error:
            self.report(wire.Refused(command.call, f"{type(command).__name__}: {error.reason} ({error.status})"))

    def _do(self, command: wire.AnyCommand) -> None:
        if isinstance(command, wire.Dial):
            self._dial(command)
        elif isinstance(command, wire.SignIn):
            self._account.modify(self._account_config(command.user, command.password))
        elif isinstance(command, wire.Write):
            self._write(command)
        elif call := self._calls.get(command.call):
            match command:
                case wire.Respond(status=status):
                    call.answer(_with_status(status))
                case wire.HangUp():
                    call.hung_up = True
                    call.hangup(_with_status(0))
                case wire.Hold(on=True):
                    call.setHold(pj.CallOpParam(True))
                case wire.Hold(on=False):
                    parameters = pj.CallOpParam(True)
                    parameters.opt.flag = pj.PJSUA_CALL_UNHOLD
                    call.reinvite(parameters)
                case wire.Say(number=number, pcm=pcm):
                    call.line.say(number, pcm)
                case wire.Press(number=number, digit=digit, tone_ms=tone_ms, gap_ms=gap_ms):
                    call.line.press(number, digit, tone_ms, gap_ms)
                case wire.Echo(delay_ms=delay_ms):
                    call.line.echo(delay_ms)
                case wire.Hush():
                    call.line.hush()
        elif isinstance(command, (wire.Say, wire.Press)):
            self.report(wire.Finished(command.call, command.number, time.monotonic_ns(), whole=False))

    def _dial(self, command: wire.Dial) -> None:
        call = PhoneCall(self._account, command.call, command.codecs, self)
        self._calls[command.call] = call
        parameters = pj.CallOpParam(True)
        parameters.txOption.localUri = command.identity
        for name, value in command.headers:
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            parameters.txOption.headers.append(header)
        try:
            call.makeCall(f"sip:{command.target}@{self._server}", parameters)
        except pj.Error:
            if command.call in self._calls:
                call.line.close()
                self.forget(call)
            raise

    def _write(self, command: wire.Write) -> None:
        """One at a time: PJSIP's answer does not say to which message it belongs."""
        buddy = pj.Buddy()
        config = pj.BuddyConfig()
        config.uri = f"sip:{command.target}@{self._server}"
        buddy.create(self._account, config)
        parameters = pj.SendInstantMessageParam()
        parameters.content = command.text
        parameters.txOption.localUri = command.identity
        self._writing.append((command.call, buddy))
        buddy.sendInstantMessage(parameters)

    def written(self, status: int) -> None:
        number, _ = self._writing.popleft()
        self.report(wire.Written(number, status))

    def incoming(self, sip_id: int) -> None:
        self._incoming -= 1
        call = PhoneCall(self._account, self._incoming, (), self, sip_id)
        self._calls[call.number] = call
        info = call.getInfo()
        self.report(wire.Incoming(call.number, info.remoteUri, info.localUri))

    def transferred(self, old: PhoneCall, target: str) -> PhoneCall:
        """The far end asked us to call `target` instead: we do, as phones do."""
        self._incoming -= 1
        call = PhoneCall(self._account, self._incoming, (), self)
        self._calls[call.number] = call
        self.report(wire.Incoming(call.number, target, "", replaces=old.number))
        return call

    def forget(self, call: PhoneCall) -> None:
        self._calls.pop(call.number, None)
        self._gone.append(call)

    async def leave(self) -> None:
        """Hang up everything and unregister."""
        self._endpoint.hangupAllCalls()
        # PJSIP calls an account inactive as soon as it is told to unregister; the server knows only after its answer.
        registered = self._account.getInfo().regIsConfigured
        if registered:
            self._account.answered = False
            self._account.setRegistration(False)
        deadline = time.monotonic() + _LEAVE_S
        while time.monotonic() < deadline and (self._calls or (registered and not self._account.answered)):
            self.poll()
            await asyncio.sleep(_POLL_S)


def _with_status(status: int) -> pj.CallOpParam:
    parameters = pj.CallOpParam()
    parameters.statusCode = status
    return parameters


def _own_descriptor(port: int) -> int:
    """A duplicate of the descriptor on which PJSIP has bound its UDP port: it does not tell which one that is."""
    for entry in Path("/proc/self/fd").iterdir():
        try:
            copy = socket.socket(fileno=os.dup(int(entry.name)))
        except OSError:
            continue  # Closed meanwhile, or no socket
        with copy:
            if copy.family == socket.AF_INET and copy.type == socket.SOCK_DGRAM and copy.getsockname()[1] == port:
                return copy.detach()
    raise OSError(f"PJSIP does not listen on UDP port {port}")


async def _poll(phone: Phone) -> None:
    asyncio.get_running_loop().add_reader(_own_descriptor(phone.port), phone.poll)
    while True:
        phone.poll()
        await asyncio.sleep(_POLL_S)


async def _run(descriptor: int, host: str, port: int, log: str) -> None:
    stream, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor))
    phone = Phone(host, port, log, lambda event: writer.write(wire.pack(event)))
    polling = asyncio.create_task(_poll(phone))
    phone.report(wire.Ready(0, phone.port))
    decoder = msgspec.msgpack.Decoder(wire.AnyCommand)
    reader = wire.Reader(stream)
    while True:
        command = await reader.read(decoder)
        if command is None or isinstance(command, wire.Leave):
            break
        phone.do(command)
    polling.cancel()
    await phone.leave()
    writer.close()
    await writer.wait_closed()
    os._exit(0)  # Taking PJSIP down in order waits a second for transactions that nobody needs any more


if __name__ == "__main__":
    uvloop.run(_run(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]))
