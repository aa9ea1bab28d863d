"""A real Asterisk that calls itself over SIP and RTP: the application under test on one side, far parties on the other.

The far side is a second `AsteriskSwitch` with an ARI application of its own, so that it answers, presses and hangs up
at a test's command.
"""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from ccaas.asterisk.errors import LegGone
from ccaas.asterisk.media_legs import MediaChoice
from ccaas.asterisk.switch import AsteriskSwitch
from ccaas.ports.media import Codec
from ccaas.telephony.events import Answered, EndReason, KeyPressed, Offered
from ccaas.testing.asterisk import RunningAsterisk, free_settings
from ccaas.testing.watch import Watch

FAR_APP = "ccaas-far"
DIALPLAN = f"""\
[ccaas-test](+)
exten => party,1,Stasis({FAR_APP})
exten => busy,1,Hangup(17)
exten => unanswered,1,Ringing()
 same => n,Wait(60)
[ccaas-kept]
exten => s,1,Wait(60)
"""

_ids = itertools.count(1)


def loopback_asterisk(folder: Path) -> RunningAsterisk:
    """An Asterisk with a trunk to itself for each codec ("loop-ulaw", …)."""
    folder.mkdir(parents=True, exist_ok=True)
    dialplan = folder / "loopback.conf"
    dialplan.write_text(DIALPLAN)
    settings = free_settings()
    # The address that a trunk is known by is not the one its calls come from: they count as anonymous callers'.
    trunks = [
        {
            "name": f"loop-{codec.value}",
            "host": f"127.0.0.1:{settings.sip.udp}",
            "from_addresses": ["192.0.2.1"],
            "codecs": [codec.value],
        }
        for codec in Codec
    ]
    section = settings.model_dump() | {"trunks": trunks, "dialplan_files": [dialplan]}
    return RunningAsterisk(folder / "asterisk", settings=type(settings).model_validate(section))


class FarLeg:
    """A far party: one leg of the far application."""

    def __init__(self, switch: AsteriskSwitch, watch: Watch, leg_id: str) -> None:
        self._switch = switch
        self._watch = watch
        self.leg_id = leg_id

    async def press(self, digits: str) -> None:
        await self._watch.next(Answered, self.leg_id)
        await self._switch.send_keys(self.leg_id, digits)

    async def hang_up(self) -> None:
        await self._switch.hang_up(self.leg_id, EndReason.HUNG_UP, 16)

    def keys(self) -> str:
        return "".join(key.digit for key in self._watch.of(KeyPressed, self.leg_id))


class Loopback:
    """Both sides of calls through one Asterisk; a `Network` for the conformance suite."""

    busy = "PJSIP/busy@loop-ulaw"
    unanswered = "PJSIP/unanswered@loop-ulaw"
    unreachable = "PJSIP/nobody"
    party = "PJSIP/party@loop-ulaw"
    dialplan = ("ccaas-kept", "s")

    def __init__(self, asterisk: RunningAsterisk, media: MediaChoice | None = None, *, app: str = "ccaas") -> None:
        """With another `app` the calls are left to the switches that a test opens itself."""
        self.asterisk = asterisk
        self.switch = AsteriskSwitch(asterisk.access, media, app=app)
        self.parties: list[FarLeg] = []
        """Who called in, in order."""
        self._far = AsteriskSwitch(asterisk.access, app=FAR_APP)
        self._watch = Watch(self._far)

    def echo(self, codec: Codec) -> str:
        return f"PJSIP/echo@loop-{codec.value}"

    async def call_in(self, dnis: str, ani: str, codec: Codec = Codec.ULAW) -> FarLeg:
        leg_id = f"far-{next(_ids)}"
        await self._far.originate(
            leg_id, f"PJSIP/{dnis}@loop-{codec.value}", caller_id=ani, timeout_s=30, codec=codec, variables={}
        )
        party = FarLeg(self._far, self._watch, leg_id)
        self.parties.append(party)
        return party

    async def far_of(self, leg_id: str) -> FarLeg:
        offered = self._watch.of(Offered)[-1]
        return FarLeg(self._far, self._watch, offered.leg_id)

    async def __aenter__(self) -> Self:
        await self._far.open()
        await self._watch.__aenter__()
        await self.switch.open()
        self._receptionist = asyncio.create_task(self._take_calls())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._receptionist.cancel()
        await asyncio.gather(self._receptionist, return_exceptions=True)
        for switch in (self.switch, self._far):
            while legs := await switch.legs():
                for leg in legs:
                    await switch.hang_up(leg.leg_id, EndReason.DISMISSED, 16)
                await asyncio.sleep(0.01)
            for bridge_id in await switch.bridges():
                await switch.destroy_bridge(bridge_id)
        await self._watch.__aexit__(None, None, None)
        await self.switch.close()
        await self._far.close()

    async def _take_calls(self) -> None:
        """Answer every call that reaches the far application."""
        for count in itertools.count(1):
            offered = await self._watch.next(Offered, count=count, timeout=3600)
            with suppress(LegGone):
                await self._far.answer(offered.leg_id)
