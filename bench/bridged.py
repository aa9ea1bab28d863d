"""Calls that no longer need the agent: caller and second party, connected inside Asterisk.

The second party is an extension of this Asterisk that sends back what it hears (`Local/echo`), so that a caller can hear
that the connection carries audio both ways. A Local channel is two more channels in Asterisk than a phone would be, and
its frames go through the bridge's thread: what is reported is more than two phones cost, not less.

Most callers only talk (`bench/phones.py`); some, spread over the whole, also listen whether they hear themselves.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from bench.crowd import PER_PROCESS
from bench.phones import Phones, unpack
from bench.processes import Snapshot, cost, snapshot
from bench.speechset import RATE, Utterance
from bench.system import ROOT, System
from ccaas.testing.caller import Call, CallFailed, SipCaller

NUMBER = "bridge"

CHANGES: Mapping[str, Any] = {
    "reasoners": {
        "bench": {"use": "flows", "file": "flows.yaml"},
        "bridge": {"use": "flows", "file": "bridge.yaml"},
    },
    "entries": {
        "bench": {"numbers": ["*"], "reasoner": "bench"},
        "bridge": {"numbers": [NUMBER], "reasoner": "bridge"},
    },
    "destinations": {"party": {"endpoint": "Local/echo@ccaas-test"}},
}
"""Sections of the configuration for this; files lie beside examples/bench/ccaas.yaml."""

_STAGGER_S = 1.0
_CONNECT_S = 30.0
_BACK_S = 3.0
_LISTENERS = 8
_TALKERS = "+1555012"
"""What their calling numbers begin with."""


async def bridged(
    system: System, calls: int, seconds: float, idle: Snapshot, utterances: Sequence[Utterance]
) -> dict[str, Any]:
    """Have `calls` callers connected at once, and watch them for `seconds`. `utterances`: what they say to be heard."""
    talking = max(calls - _LISTENERS, 0)
    prefix = await asyncio.to_thread(unpack, ROOT / ".cache", lambda _: None)
    target, said = f"{system.sip_host}:{system.sip_port}", utterances[0].pcm
    async with AsyncExitStack() as stack:
        if talking:
            folder = system.state / "phones"
            phones = Phones(prefix, target, NUMBER, _TALKERS, talking, 1 / _STAGGER_S, said, folder)
            await stack.enter_async_context(phones)
            await asyncio.sleep(talking * _STAGGER_S)
        lines = [
            await stack.enter_async_context(SipCaller(system.sip_host, system.sip_port))
            for _ in range(math.ceil((calls - talking) / PER_PROCESS))
        ]
        dialled = [_dial(lines[n // PER_PROCESS], n, n * _STAGGER_S) for n in range(calls - talking)]
        answered = {call.ani: call.call for call in await asyncio.gather(*dialled) if call is not None}
        listening = await _settled(system, answered)
        connected = len(await _numbers(system, connected=True))
        before = await asyncio.to_thread(snapshot, system.roots)
        await asyncio.sleep(seconds)
        after = await asyncio.to_thread(snapshot, system.roots)
        still = len(await _numbers(system, connected=True))
        channels = [line for line in (await system.console("core show channels concise")).splitlines() if "!" in line]
        back = await asyncio.gather(
            *(_hears_itself(call, utterances[n % len(utterances)]) for n, call in enumerate(listening.values()))
        )
        await asyncio.gather(*(call.hang_up() for call in listening.values()))
    return {
        "wanted": calls,
        "connected": connected,
        "connected_at_the_end": still,
        "listened": len(listening),
        "heard_themselves": sum(back),
        "seconds": round(after.at - before.at, 1),
        "channels": len(channels),
        "media_channels_to_the_controller": sum(is_ours(line) for line in channels),
        **cost(idle, before, after, connected * (after.at - before.at), connected),
    }


def is_ours(channel: str) -> bool:
    """Whether a line of `core show channels concise` is a channel that carries audio to or from the controller."""
    return channel.startswith(("UnicastRTP/", "WebSocket/", "AudioSocket/"))


def _ani(number: int) -> str:
    return f"+1555011{number:04d}"


@dataclass(frozen=True, slots=True)
class _Answered:
    ani: str
    call: Call


async def _dial(line: SipCaller, number: int, delay_s: float) -> _Answered | None:
    await asyncio.sleep(delay_s)
    call = await line.dial(NUMBER, codec="PCMU", from_number=_ani(number))
    try:
        await call.answered()
    except (CallFailed, TimeoutError):
        await call.hang_up()
        return None
    return _Answered(_ani(number), call)


async def _settled(system: System, answered: Mapping[str, Call]) -> dict[str, Call]:
    """Those that are connected, once none is on its way; the others, answered by the dialplan, are hung up."""
    limit = time.monotonic() + _CONNECT_S
    while await _numbers(system, connected=False) and time.monotonic() < limit:
        await asyncio.sleep(0.2)
    connected = await _numbers(system, connected=True)
    await asyncio.gather(*(call.hang_up() for ani, call in answered.items() if ani not in connected))
    return {ani: call for ani, call in answered.items() if ani in connected}


async def _numbers(system: System, *, connected: bool) -> set[str]:
    """Calling numbers of the controller's calls that are connected with a party, or of those that are not."""
    calls = (await system.site.ask("GET", "/calls"))["calls"]
    return {call["ani"] for call in calls if (call["state"] == "connected") == connected}


async def _hears_itself(call: Call, utterance: Utterance) -> bool:
    """Whether a caller hears what it says, from the other end."""
    if not call.is_up:
        return False
    said = call.start_saying(utterance.pcm, RATE)
    try:
        async with asyncio.timeout(_BACK_S):
            started = await said.started
        heard = await call.hear_start(started, _BACK_S)
    except TimeoutError:
        return False
    await said.finished
    return heard - started < _BACK_S
