"""The names of a call's parts in the switch: ours, chosen before anything is made, and telling whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ccaas.ports.media import Codec

_NAME = re.compile(r"ccaas-(?P<call>[0-9a-f]{22})-(?P<kind>bridge|media|to|callee|phone|spy|ear)(?P<number>\d+)")


@dataclass(slots=True)
class Legs:
    """Names of the call's parts in the switch; all ours but an inbound caller's."""

    call_id: str
    caller: str
    codec: Codec
    bridges: list[str] = field(default_factory=list)
    """Names of the call's bridges, the newest last: more than one while an agent hears a briefing."""
    numbered: int = 0
    """How many bridges there have been."""
    medias: int = 0
    targets: int = 0
    open: set[str] = field(default_factory=set)
    """Our own legs that exist: media and targets."""

    @property
    def bridge(self) -> str:
        """The newest bridge's name; empty where there is none."""
        return self.bridges[-1] if self.bridges else ""

    def take_over(self, leg_ids: Iterable[str]) -> None:
        """Legs of ours that an earlier controller left; new ones get other numbers."""
        for leg_id in leg_ids:
            self.open.add(leg_id)
            kind, number = _numbered(leg_id)
            if kind == "media":
                self.medias = max(self.medias, number)
            elif kind == "to":
                self.targets = max(self.targets, number)

    def take_over_bridge(self, bridge_id: str) -> None:
        """The bridge that the caller was found in, where it is ours; empty for none."""
        kind, number = _numbered(bridge_id)
        if kind == "bridge":
            self.bridges.append(bridge_id)
            self.numbered = max(self.numbered, number)

    def next_bridge(self) -> str:
        """A name for a new bridge, which is the newest now."""
        self.numbered += 1
        self.bridges.append(f"ccaas-{self.call_id}-bridge{self.numbered}")
        return self.bridge

    def next_media(self) -> str:
        """A name for a new media leg."""
        self.medias += 1
        return f"ccaas-{self.call_id}-media{self.medias}"

    def next_target(self) -> str:
        """A name for a new leg towards a transfer's target."""
        self.targets += 1
        return f"ccaas-{self.call_id}-to{self.targets}"


def callee_name(call_id: str) -> str:
    """The leg that an outbound call begins with."""
    return f"ccaas-{call_id}-callee1"


def call_of(name: str) -> str:
    """The call's id in the name of a leg or bridge of ours; empty when it is not ours (Asterisk's own ids may begin with
    our system name too)."""
    match = _NAME.fullmatch(name)
    return match["call"] if match else ""


def monitoring(name: str) -> bool:
    """Whether a leg or bridge is a supervisor's who takes part in a call, not the call's own."""
    match = _NAME.fullmatch(name)
    return match is not None and match["kind"] in ("phone", "spy", "ear")


def _numbered(name: str) -> tuple[str, int]:
    """Kind and number in one of our names: ("media", 2) of "ccaas-…-media2"."""
    match = _NAME.fullmatch(name)
    return (match["kind"], int(match["number"])) if match else ("", 0)
