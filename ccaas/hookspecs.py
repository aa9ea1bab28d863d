"""The whole plug-in API.

A plug-in is a Python module named by an entry point in the group "ccaas". It imports `hookimpl` from here and defines
the hooks that it wants. `register` hooks are called once at boot, on the main thread, before anything runs; they only
hand over factories. The other hooks are coroutines, called on the event loop through `ccaas.hooks.PluginHost`, each with a
time limit; one that raises or hangs is logged with its plug-in's name and leaves the call untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

import pluggy
from pydantic import BaseModel

from ccaas.conversation.events import TurnRecord
from ccaas.ports.dialling import Pacer
from ccaas.ports.journey import Contact, Customer, Traces
from ccaas.ports.messaging import TextChannel
from ccaas.ports.outreach import Approach
from ccaas.ports.plays import PlayStep
from ccaas.ports.reasoning import Reasoner
from ccaas.ports.redaction import Redactor
from ccaas.ports.sentiment import Conversing, Handover, Sentiment, Signal
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
def ccaas_register_sentiment(register: Register[Sentiment]) -> None:
    """Offer what judges how callers feel. Called once at boot, synchronously. Since 0.2."""


@hookspec
def ccaas_register_redactors(register: Register[Redactor]) -> None:
    """Offer what finds private data in texts. Called once at boot, synchronously. Since 0.2."""


@hookspec
def ccaas_register_channels(register: Register[TextChannel]) -> None:
    """Offer text channels: chat, SMS, e-mail. Called once at boot, synchronously. Since 0.2."""


@hookspec
def ccaas_register_pacers(register: Register[Pacer]) -> None:
    """Offer pacers: how many calls a campaign begins at a moment. The factory makes one for each campaign that runs.
    Called once at boot, synchronously. Since 0.2."""


@hookspec
def ccaas_register_plays(register: Register[PlayStep]) -> None:
    """Offer steps of plays: who an event affects, and what is offered to whom, where a tool's list alone does not say it. The
    factory makes one for each of `proactive.steps`. Called once at boot, synchronously. Since 0.2."""


@hookspec
def ccaas_register_tools(register: Register[tuple[Tool, ...]]) -> None:
    """Offer tools. The factory returns them all, once, at boot; it may be a coroutine function that opens what they need.
    Called once at boot, synchronously. Since 0.1."""


@hookspec
async def ccaas_identify(contact: Contact) -> Customer | None:
    """Say who is calling, before the call is routed. Called as `first`: the first answer that is not None wins; None
    means "I do not know them". Event loop, 0.5 s. Since 0.1."""


@hookspec
async def ccaas_context(customer: Customer, now: datetime) -> Mapping[str, object] | None:
    """Add what a system of record knows of a customer to the one brain (`JourneyContext.records`, under the plug-in's name),
    before the first sentence of a call or a text is answered; `now` is the business's clock. A JSON object, small; None adds
    nothing. Called as `each`. Event loop, 0.3 s. Since 0.2."""


@hookspec
async def ccaas_route(contact: Contact, customer: Customer | None) -> str | None:
    """Choose the entry of the YAML that takes this call, by name. Called as `first` on every offer; None leaves it to
    the YAML's own table of dialled numbers. Event loop, 0.5 s. Since 0.1."""


@hookspec
async def ccaas_may_contact(approach: Approach) -> str | None:
    """Say, in a sentence, what is against a contact that we are about to begin; None when nothing is. Called as `each`; it
    only adds reasons: the core's own gate runs whatever is answered, and asks nobody about answers to a customer's own
    message. Event loop, 0.3 s. Since 0.2."""


@hookspec
async def ccaas_escalate(conversation: Conversing, signal: Signal) -> Handover | None:
    """A caller is upset, or has asked for a person, and would be handed to `signal.destination`. Choose another destination,
    or answer an empty one to leave them with the agent. Called as `first`, while the caller waits for the compassionate line;
    None leaves it as it is. Event loop, 0.2 s. Since 0.2."""


@hookspec
async def ccaas_forget(traces: Traces, site: Site) -> None:
    """Erase what the plug-in itself keeps of a person below `site`, in files or in memory: `traces` are the names under which
    it may stand. What is not there is no fault, for it may be asked again; no other plug-in, no channel and no controller need
    be up. Called as `each`. One that raises or takes too long makes the erasure fail with its name, and the journey keeps the
    person until a later try succeeds. Event loop, 20 s. Since 0.2."""


@hookspec
async def ccaas_call_event(call_id: str, event: TelephonyEvent) -> None:
    """A call's transition was stored. Called as `notify`: queued per plug-in (1,000 events; the oldest are dropped
    and counted), never waited for by a call. Event loop, 5 s. Since 0.1."""


@hookspec
async def ccaas_turn_event(call_id: str, turn: TurnRecord) -> None:
    """A turn was committed and stored, or its reply has ended. Called as `notify`. Event loop, 5 s. Since 0.1."""
