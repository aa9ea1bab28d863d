"""The plug-ins of one installation: loading them, and asking them without ever depending on them.

Hooks that answer are called through `first` and `each`, hooks that are only told through `notify`. Each call of each
plug-in is a task of its own with a time limit; one that raises, hangs, cancels itself or answers with the wrong type
is logged and counted under its own name, and the caller goes on as if it had said nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import coroutine
from typing import Any, TypeVar

import prometheus_client
import structlog

from ccaas.conversation.events import TurnRecord
from ccaas.errors import CcaasError, PluginError
from ccaas.implementations import RULES, Implementation, Rule, available, implementations, missing
from ccaas.mailbox import Mailbox
from ccaas.offers import Offers
from ccaas.ports.dialling import Pacer
from ccaas.ports.journey import Contact, Customer, Json, Traces
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

QUEUE = 1_000
"""Events that wait for one plug-in before the oldest are dropped."""
BLOCKED_S = 0.005
"""A plug-in that keeps the event loop longer than this in one step is counted."""
MOST_ABANDONED = 16
"""A plug-in with so many calls that outlived their time limit and their cancellation is not asked until one ends."""
QUIET_S = 5.0
"""The same fault of the same plug-in is logged at most once in this time, with the number left out."""

FAULTS = prometheus_client.Counter(
    "ccaas_plugin_faults",
    "Hook calls that failed: raised, timed out, cancelled, wrong answer.",
    ["plugin", "hook", "why"],
)
DROPPED = prometheus_client.Counter(
    "ccaas_plugin_events_dropped", "Events dropped unseen by a slow plug-in.", ["plugin"]
)
BLOCKED = prometheus_client.Counter(
    "ccaas_plugin_blocked_loop", "Steps of a plug-in that kept the event loop for over 5 ms.", ["plugin", "hook"]
)

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class _Letter:
    implementation: Implementation
    call_id: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Raised:
    error: BaseException


@dataclass(frozen=True, slots=True)
class _Fault:
    why: str
    """One word, for the counter."""
    what: str
    """For the log: "it took longer than 0.5 s"."""
    error: BaseException | None = None


@contextlib.contextmanager
def blaming(plugin: str, doing: str) -> Iterator[None]:
    """Whatever is raised inside becomes a PluginError that names the plug-in; errors of ours pass.

    Args:
        plugin: the plug-in's name.
        doing: what failed, for the sentence: "could not be imported".
    """
    try:
        yield
    except CcaasError:
        raise
    except (Exception, SystemExit) as error:
        name = type(error).__name__
        raise PluginError(f'plug-in "{plugin}" {doing}: {name}: {error}; mend or remove it') from error


class PluginHost:
    """The loaded plug-ins. Make one with `load`; verbs must be called on the event loop."""

    def __init__(self) -> None:
        self.recognizers: Offers[Recognizer] = Offers("recognizer")
        self.voice_detectors: Offers[VoiceDetector] = Offers("voice detector")
        self.turn_detectors: Offers[TurnDetector] = Offers("turn detector")
        self.synthesizers: Offers[Synthesizer] = Offers("synthesizer")
        self.reasoners: Offers[Reasoner] = Offers("reasoner")
        self.sentiments: Offers[Sentiment] = Offers("sentiment", ("use", "escalation"))
        self.redactors: Offers[Redactor] = Offers("redactor", ("use", "log"))
        self.tools: Offers[tuple[Tool, ...]] = Offers("tools")
        self.channels: Offers[TextChannel] = Offers("channel", ("use", "entry"))
        self.pacers: Offers[Pacer] = Offers("pacer")
        self.plays: Offers[PlayStep] = Offers("play step")
        self.plugins: tuple[str, ...] = ()
        """Names of the loaded plug-ins, in the order in which they are asked."""
        self.on_turn: Callable[[str, TurnRecord], None] | None = None
        """Who watches all conversations as they are had; must not wait."""
        self._implementations: dict[str, list[Implementation]] = {}
        self._mailboxes: dict[str, Mailbox[_Letter]] = {}
        self._abandoned: dict[str, set[asyncio.Task[object]]] = defaultdict(set)
        self._quiet: dict[tuple[str, str, str], float] = {}
        self._unsaid: Counter[tuple[str, str, str]] = Counter()
        self._log = structlog.get_logger("plugins")

    @classmethod
    def load(cls, names: Sequence[str]) -> PluginHost:
        """Import the named plug-ins, check their hooks, and let them register what they offer.

        Raises:
            PluginError: one is not installed, cannot be imported, or breaks the rules of a hook.
        """
        installed = available()
        plugins: dict[str, object] = {}
        for name in names:
            if name not in installed:
                raise PluginError(missing(name, installed))
            with blaming(name, f"({installed[name].value}) could not be imported"):
                plugins[name] = installed[name].load()
        return cls.of(plugins)

    @classmethod
    def of(cls, plugins: Mapping[str, object]) -> PluginHost:
        """A host of plug-ins that are already imported: modules, or objects with hooks as methods.

        Raises:
            PluginError: one breaks the rules of a hook.
        """
        host = cls()
        host._implementations = implementations(plugins)
        host.plugins = tuple(plugins)
        host._register()
        return host

    @property
    def offers(self) -> tuple[Offers[Any], ...]:
        """What the plug-ins offer, all kinds."""
        return (
            self.recognizers,
            self.voice_detectors,
            self.turn_detectors,
            self.synthesizers,
            self.reasoners,
            self.sentiments,
            self.redactors,
            self.tools,
            self.channels,
            self.pacers,
            self.plays,
        )

    def hooks_of(self, plugin: str) -> tuple[str, ...]:
        """The asynchronous hooks that a plug-in implements."""
        return tuple(
            h for h, found in self._implementations.items() if h in RULES and plugin in [i.plugin for i in found]
        )

    async def identify(self, contact: Contact) -> Customer | None:
        """Who is calling, from the first plug-in that knows."""
        return await self.first("ccaas_identify", contact.call_id, {"contact": contact})  # type: ignore[return-value]

    async def route(self, contact: Contact, customer: Customer | None) -> str | None:
        """The entry that takes this call, from the first plug-in that chooses one."""
        arguments = {"contact": contact, "customer": customer}
        return await self.first("ccaas_route", contact.call_id, arguments)  # type: ignore[return-value]

    async def context(self, call_id: str, customer: Customer, now: datetime) -> Mapping[str, Json]:
        """What the systems of record add to what is known of a customer, by plug-in."""
        arguments = {"customer": customer, "now": now}
        return await self.each("ccaas_context", call_id, arguments)  # type: ignore[return-value]

    async def may_contact(self, approach: Approach) -> Mapping[str, str]:
        """What plug-ins say against a contact, by plug-in."""
        return await self.each("ccaas_may_contact", approach.id, {"approach": approach})  # type: ignore[return-value]

    async def escalate(self, conversation: Conversing, signal: Signal) -> Handover | None:
        """What becomes of a caller who should go to a person, from the first plug-in that decides."""
        arguments = {"conversation": conversation, "signal": signal}
        return await self.first("ccaas_escalate", conversation.call_id, arguments)  # type: ignore[return-value]

    async def forget(self, traces: Traces, site: Site) -> dict[str, str]:
        """Have every plug-in erase what it keeps of a person; what went wrong, by plug-in: whoever is not named has done it."""
        arguments = {"traces": traces, "site": site}
        asked = self._implementations["ccaas_forget"]
        outcomes = await asyncio.gather(*(self._outcome(one, "", arguments) for one in asked))
        return {one.plugin: fault.what for one, fault in zip(asked, outcomes, strict=True) if isinstance(fault, _Fault)}

    def call_event(self, call_id: str, event: TelephonyEvent) -> None:
        """Tell the plug-ins of a stored transition."""
        self.notify("ccaas_call_event", call_id, {"call_id": call_id, "event": event})

    def turn_event(self, call_id: str, turn: TurnRecord) -> None:
        """Tell the plug-ins of a stored turn, and first who watches conversations."""
        if self.on_turn is not None:
            self.on_turn(call_id, turn)
        self.notify("ccaas_turn_event", call_id, {"call_id": call_id, "turn": turn})

    async def first(self, hook: str, call_id: str, arguments: Mapping[str, object]) -> object | None:
        """Ask one plug-in after the other; the first answer that is not None, or None when nobody has one."""
        for implementation in self._implementations[hook]:
            answer = await self._ask(implementation, call_id, arguments)
            if answer is not None:
                return answer
        return None

    async def each(self, hook: str, call_id: str, arguments: Mapping[str, object]) -> dict[str, object]:
        """Ask all plug-ins at once; the answers that are not None, by plug-in, in the plug-ins' order."""
        implementations = self._implementations[hook]
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._ask(one, call_id, arguments)) for one in implementations]
        answers = ((one.plugin, task.result()) for one, task in zip(implementations, asked, strict=True))
        return {plugin: answer for plugin, answer in answers if answer is not None}

    def notify(self, hook: str, call_id: str, arguments: Mapping[str, object]) -> None:
        """Queue an event for every plug-in that wants it; never waits."""
        for implementation in self._implementations[hook]:
            mailbox = self._mailboxes.get(implementation.plugin)
            if mailbox is None:
                mailbox = self._mailboxes[implementation.plugin] = Mailbox(QUEUE, self._deliver, self._dropped)
            mailbox.put(_Letter(implementation, call_id, arguments))

    async def close(self, limit_s: float = 2.0) -> None:
        """Give what is queued `limit_s` seconds to be delivered, then stop every call of a plug-in."""
        mailboxes, self._mailboxes = self._mailboxes, {}
        await asyncio.gather(*(mailbox.close(limit_s) for mailbox in mailboxes.values()))
        for tasks in self._abandoned.values():
            for task in tasks:
                task.cancel()

    def _register(self) -> None:
        registries: dict[str, Offers[Any]] = {
            "ccaas_register_recognizers": self.recognizers,
            "ccaas_register_voice_detectors": self.voice_detectors,
            "ccaas_register_turn_detectors": self.turn_detectors,
            "ccaas_register_synthesizers": self.synthesizers,
            "ccaas_register_reasoners": self.reasoners,
            "ccaas_register_sentiment": self.sentiments,
            "ccaas_register_redactors": self.redactors,
            "ccaas_register_tools": self.tools,
            "ccaas_register_channels": self.channels,
            "ccaas_register_pacers": self.pacers,
            "ccaas_register_plays": self.plays,
        }
        for hook, offers in registries.items():
            for implementation in self._implementations[hook]:
                with blaming(implementation.plugin, f"failed in {hook}"):
                    callback = {"register": offers.register_for(implementation.plugin)}
                    implementation.function(**{name: callback[name] for name in implementation.arguments})

    async def _deliver(self, letter: _Letter) -> None:
        await self._ask(letter.implementation, letter.call_id, letter.arguments)

    def _dropped(self, letter: _Letter) -> None:
        one = letter.implementation
        DROPPED.labels(one.plugin).inc()
        self._complain(one, letter.call_id, _Fault("dropped", "an event was dropped unseen, the plug-in is too slow"))

    async def _ask(self, one: Implementation, call_id: str, arguments: Mapping[str, object]) -> object | None:
        """One plug-in's answer; None when it has none or fails. Only the caller's own cancellation is raised."""
        outcome = await self._outcome(one, call_id, arguments)
        return None if isinstance(outcome, _Fault) else outcome

    async def _outcome(self, one: Implementation, call_id: str, arguments: Mapping[str, object]) -> object | None:
        """One plug-in's answer, or its fault, which is logged and counted."""
        abandoned = self._abandoned[one.plugin]
        rule = RULES[one.hook]
        if len(abandoned) >= MOST_ABANDONED:
            hung = _Fault("hung", f"it was not asked: {MOST_ABANDONED} earlier calls of it still hang")
            return self._fault(one, call_id, hung)
        task = asyncio.get_running_loop().create_task(_contained(one, arguments), name=f"{one.plugin} {one.hook}")
        try:
            await asyncio.wait({task}, timeout=rule.limit_s)
        finally:
            if not task.done():
                task.cancel()
                abandoned.add(task)
                task.add_done_callback(abandoned.discard)
        fault = _fault_of(task, rule)
        return task.result() if fault is None else self._fault(one, call_id, fault)

    def _fault(self, one: Implementation, call_id: str, fault: _Fault) -> _Fault:
        FAULTS.labels(one.plugin, one.hook, fault.why).inc()
        self._complain(one, call_id, fault)
        return fault

    def _complain(self, one: Implementation, call_id: str, fault: _Fault) -> None:
        """Log, but not a line for each event of a flood."""
        key, now = (one.plugin, one.hook, fault.why), time.monotonic()
        if now < self._quiet.get(key, 0.0):
            self._unsaid[key] += 1
            return
        self._quiet[key] = now + QUIET_S
        fields: dict[str, object] = {"plugin": one.plugin, "hook": one.hook, "call": call_id, "problem": fault.what}
        if unsaid := self._unsaid.pop(key, 0):
            fields["unsaid"] = unsaid
        self._log.warning("plug-in failed", **fields, exc_info=fault.error)


async def _contained(one: Implementation, arguments: Mapping[str, object]) -> object:
    """The implementation's answer, or what it raised; SystemExit from a plug-in must not end the controller."""
    try:
        return await _timed(one, one.function(**{name: arguments[name] for name in one.arguments}))
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return _Raised(error)


def _fault_of(task: asyncio.Task[object], rule: Rule) -> _Fault | None:
    """What was wrong with a plug-in's call; None when its answer can be used."""
    if not task.done():
        return _Fault("timeout", f"it took longer than {rule.limit_s} s")
    if task.cancelled():
        return _Fault("cancelled", "it cancelled itself")
    answer = task.result()
    if isinstance(answer, _Raised):
        return _Fault("raised", f"it raised {answer.error!r}", answer.error)
    if answer is not None and (rule.answer is None or not isinstance(answer, rule.answer)):
        wanted = rule.answer.__name__ if rule.answer else "nothing"
        return _Fault("wrong", f"it answered {type(answer).__name__} where {wanted} is wanted")
    return None


@coroutine
def _timed(one: Implementation, answer: Awaitable[A]) -> Generator[Any, None, A]:
    """Await `answer`, counting each step between two awaits that keeps the event loop too long."""
    steps = answer.__await__()
    thrown: BaseException | None = None
    while True:
        began = time.perf_counter()
        try:
            waited_for = next(steps) if thrown is None else steps.throw(thrown)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        finally:
            if time.perf_counter() - began > BLOCKED_S:
                BLOCKED.labels(one.plugin, one.hook).inc()
        thrown = None
        try:
            yield waited_for
        except GeneratorExit:
            steps.close()
            raise
        except BaseException as error:  # cancellation goes to the plug-in, which may tidy up
            thrown = error
