"""The whole plug-in API.

A plug-in is a Python module named by an entry point in the group "ccaas". It imports `hookimpl` from here and defines
the hooks that it wants. `register` hooks are called once at boot, on the main thread, before anything runs; they only
hand over factories. The other hooks are coroutines, called on the event loop through `ccaas.hooks.PluginHost`, each with a
time limit; one that raises or hangs is logged with its plug-in's name and leaves the call untouched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import pluggy
from pydantic import BaseModel

from ccaas.conversation.events import TurnRecord
from ccaas.ports.journey import Contact, Customer
from ccaas.ports.reasoning import Reasoner
from ccaas.ports.site import Site
from ccaas.ports.speech import Recognizer, Synthesizer, TurnDetector, VoiceDetector
from ccaas.ports.tools import Tool
from ccaas.telephony.events import TelephonyEvent

hookspec = pluggy.HookspecMarker("ccaas")
hookimpl = pluggy.HookimplMarker("ccaas")


T_contra = TypeVar("T_contra", contravariant=True)


class Register(Protocol[T_contra]):
    """What a plug-in calls to offer a factory: the name by which the YAML chooses it (`use: name`), the factory, and
    the pydantic model of the settings that stand beside `use`."""

    def __call__(self, name: str, factory: Callable[[Any, Site], T_contra], settings: type[BaseModel]) -> None: ...


@hookspec
def ccaas_register_recognizers(register: Register[Recognizer]) -> None:
    """Offer speech recognisers. Called once at boot, synchronously. Since 0.1."""


@hookspec
def ccaas_register_voice_detectors(register: Register[VoiceDetector]) -> None:
    """Offer voice activity detectors. Called once at boot, synchronously. Since 0.1."""


@hookspec
def ccaas_register_turn_detectors(register: Register[TurnDetector]) -> None:
    """Offer end-of-turn models. Called once at boot, synchronously. Since 0.1."""


@hookspec
def ccaas_register_synthesizers(register: Register[Synthesizer]) -> None:
    """Offer voices. Called once at boot, synchronously. Since 0.1."""


@hookspec
def ccaas_register_reasoners(register: Register[Reasoner]) -> None:
    """Offer reasoners: what the agent says and does. Called once at boot, synchronously. Since 0.1."""


@hookspec
def ccaas_register_tools(register: Register[tuple[Tool, ...]]) -> None:
    """Offer tools. The factory returns them all, once, at boot; it may be a coroutine function that opens what they need.
    Called once at boot, synchronously. Since 0.1."""


@hookspec
async def ccaas_identify(contact: Contact) -> Customer | None:
    """Say who is calling, before the call is routed. Called as `first`: the first answer that is not None wins; None
    means "I do not know them". Event loop, 0.5 s. Since 0.1."""


@hookspec
async def ccaas_route(contact: Contact, customer: Customer | None) -> str | None:
    """Choose the entry of the YAML that takes this call, by name. Called as `first` on every offer; None leaves it to
    the YAML's own table of dialled numbers. Event loop, 0.5 s. Since 0.1."""


@hookspec
async def ccaas_call_event(call_id: str, event: TelephonyEvent) -> None:
    """A call's transition was stored. Called as `notify`: queued per plug-in (1,000 events; the oldest are dropped
    and counted), never waited for by a call. Event loop, 5 s. Since 0.1."""


@hookspec
async def ccaas_turn_event(call_id: str, turn: TurnRecord) -> None:
    """A turn was committed and stored, or its reply has ended. Called as `notify`. Event loop, 5 s. Since 0.1."""
