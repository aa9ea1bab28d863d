"""The second step of checking a ccaas.yaml: each `use:` against what the plug-ins registered."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from ccaas.config.configuration import Configuration
from ccaas.config.document import ConfigErrors, Document, Steps, dotted, raise_all
from ccaas.config.settings import Use
from ccaas.errors import ConfigError, PluginError, SetupError
from ccaas.hooks import PluginHost, blaming
from ccaas.implementations import available
from ccaas.offers import Offers
from ccaas.ports.dialling import Pacer
from ccaas.ports.messaging import TextChannel
from ccaas.ports.plays import PlayStep
from ccaas.ports.reasoning import Reasoner
from ccaas.ports.redaction import Redactor
from ccaas.ports.sentiment import Sentiment
from ccaas.ports.site import Site
from ccaas.ports.speech import Recognizer, Synthesizer, TurnDetector, VoiceDetector
from ccaas.ports.tools import Tool
from ccaas.spelling import nearest

T = TypeVar("T")

_OURS = frozenset({"use"})
"""Keys of a pick that are the core's."""


@dataclass(frozen=True, slots=True)
class Pick(Generic[T]):
    """One `use:` of the YAML, with its settings checked. Nothing is made before `make`."""

    at: Steps
    """Where it stands in the YAML."""
    name: str
    plugin: str
    settings: BaseModel
    factory: Callable[[Any, Site], T]

    @contextmanager
    def placed(self, document: Document) -> Iterator[None]:
        """What is missing for it becomes a complaint about its place in the YAML.

        Raises:
            ConfigError: in place of a SetupError, or of one that can only say that its own file cannot be read.
        """
        try:
            yield
        except ConfigError as error:
            if error.place.line or error.place.file == document.file:
                raise
            raise document.error((*self.at, "file"), f"{error.place.file}: {error.problem}", error.mend) from None
        except SetupError as error:
            problem, _, mend = str(error).partition("; ")
            raise document.error(self.at, problem, mend or "run `make setup`") from None

    async def make(self, site: Site) -> T:
        """What the plug-in's factory makes, awaited where it is a coroutine function.

        Raises:
            PluginError: the factory failed; errors of ours pass as they are.
        """
        with blaming(self.plugin, f"could not make {dotted(self.at)} ({self.name})"):
            made: Any = self.factory(self.settings, site)
            return await made if inspect.isawaitable(made) else made  # type: ignore[no-any-return]

    async def make_for(self, site: Site, document: Document) -> T:
        """`make`; what is missing is a complaint about its place in the YAML."""
        with self.placed(document):
            return await self.make(site)


@dataclass(frozen=True, slots=True)
class Picks:
    """Everything that the YAML picks from the plug-ins."""

    recognizer: Pick[Recognizer]
    voice: Pick[VoiceDetector]
    turn: Pick[TurnDetector]
    synthesizer: Pick[Synthesizer]
    fallback_synthesizer: Pick[Synthesizer] | None
    tools: tuple[Pick[tuple[Tool, ...]], ...]
    reasoners: dict[str, Pick[Reasoner]]
    channels: dict[str, Pick[TextChannel]]
    sentiment: Pick[Sentiment] | None = None
    redactor: Pick[Redactor] | None = None
    pacers: dict[str, Pick[Pacer]] = field(default_factory=dict)
    """By campaign."""
    steps: dict[str, Pick[PlayStep]] = field(default_factory=dict)
    """Of plays, by their names in the YAML."""

    @property
    def made_without_effect(self) -> tuple[Pick[Any], ...]:
        """Those whose factories only look at their settings and files."""
        speech = (self.recognizer, self.voice, self.turn, self.synthesizer, self.fallback_synthesizer)
        felt = (self.sentiment,) if self.sentiment is not None else ()
        return (*(chosen for chosen in speech if chosen is not None), *self.reasoners.values(), *felt)


def load_plugins(configuration: Configuration) -> PluginHost:
    """Load the plug-ins that the YAML allows.

    Raises:
        ConfigError: one is not installed, with names like it; cannot be imported; or breaks the rules of a hook.
    """
    raise_all(missing_plugins(configuration))
    names = configuration.settings.plugins
    try:
        return PluginHost.load(names)
    except PluginError as error:
        problem, _, mend = str(error).partition("; ")
        index = next((index for index, name in enumerate(names) if f'"{name}"' in problem), None)
        at: Steps = ("plugins",) if index is None else ("plugins", index)
        raise configuration.document.error(at, problem, mend or "mend or remove it") from error


def missing_plugins(configuration: Configuration) -> Iterator[ConfigError]:
    """Complaints about plug-ins that are not installed; none is imported."""
    installed = available()
    for index, name in enumerate(configuration.settings.plugins):
        if name not in installed:
            mend = f"{nearest(name, installed)} (or install the package that brings it)"
            yield configuration.document.error(("plugins", index), f"no plug-in {name} is installed", mend)


def pick(configuration: Configuration, host: PluginHost) -> Picks:
    """Check every `use:` and the settings beside it.

    Raises:
        ConfigError: with file, line, key and mend; a `ConfigErrors` where there are several.
    """
    settings, errors = configuration.settings, list[ConfigError]()

    def one(at: Steps, use: Use, offers: Offers[T], ours: frozenset[str] = _OURS) -> Pick[T] | None:
        try:
            return _pick(configuration, at, use, offers, ours)
        except ConfigErrors as several:
            errors.extend(several.errors)
        except ConfigError as error:
            errors.append(error)
        return None

    speech, at = settings.speech, ("speech",)
    recognizer = one((*at, "recognizer"), speech.recognizer, host.recognizers)
    voice = one((*at, "voice"), speech.voice, host.voice_detectors)
    turn = one((*at, "turn"), speech.turn, host.turn_detectors)
    synthesizer = one((*at, "synthesizer"), speech.synthesizer, host.synthesizers)
    second = speech.fallback_synthesizer
    fallback = one((*at, "fallback_synthesizer"), second, host.synthesizers) if second else None
    tools = [one(("tools", index), use, host.tools) for index, use in enumerate(settings.tools)]
    reasoners = {name: one(("reasoners", name), use, host.reasoners) for name, use in settings.reasoners.items()}
    channels = {
        name: one(("channels", name), use, host.channels, _OURS | {"entry"}) for name, use in settings.channels.items()
    }
    felt = settings.sentiment
    sentiment = one(("sentiment",), felt, host.sentiments, _OURS | {"escalation"}) if felt is not None else None
    hiding = settings.redaction
    redactor = one(("redaction",), hiding, host.redactors, _OURS | {"log"}) if hiding is not None else None
    pacers = {
        name: one(("dialler", "campaigns", name, "pacing"), campaign.pacing, host.pacers)
        for name, campaign in settings.dialler.campaigns.items()
    }
    steps = {name: one(("proactive", "steps", name), use, host.plays) for name, use in settings.proactive.steps.items()}
    raise_all(errors)
    assert recognizer and voice and turn and synthesizer  # noqa: PT018  (None leaves an error behind)
    return Picks(
        recognizer,
        voice,
        turn,
        synthesizer,
        fallback,
        tuple(tool for tool in tools if tool),
        {name: reasoner for name, reasoner in reasoners.items() if reasoner},
        {name: channel for name, channel in channels.items() if channel},
        sentiment,
        redactor,
        {name: pacer for name, pacer in pacers.items() if pacer},
        {name: step for name, step in steps.items() if step},
    )


def _pick(configuration: Configuration, at: Steps, use: Use, offers: Offers[T], ours: frozenset[str]) -> Pick[T]:
    offer = offers.get(use.use)
    if offer is None:
        problem = f"no loaded plug-in offers a {offers.kind} called {use.use}"
        mend = nearest(use.use, offers) if offers else "add the plug-in that brings it to `plugins`"
        raise configuration.document.error((*at, "use"), problem, mend)
    settings = configuration.document.validate(offer.settings, at, without=ours, forbid=True)
    return Pick(at, offer.name, offer.plugin, settings, offer.factory)
