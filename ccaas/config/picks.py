"""The second step of checking a ccaas.yaml: each `use:` against what the plug-ins registered."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from ccaas.config.configuration import Configuration
from ccaas.config.document import ConfigErrors, Steps, dotted, raise_all
from ccaas.config.settings import Use
from ccaas.errors import ConfigError
from ccaas.hooks import PluginHost, blaming
from ccaas.implementations import available
from ccaas.offers import Offers
from ccaas.ports.reasoning import Reasoner
from ccaas.ports.site import Site
from ccaas.ports.speech import Recognizer, Synthesizer, TurnDetector, VoiceDetector
from ccaas.ports.tools import Tool
from ccaas.spelling import nearest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pick(Generic[T]):
    """One `use:` of the YAML, with its settings checked. Nothing is made before `make`."""

    at: Steps
    """Where it stands in the YAML."""
    name: str
    plugin: str
    settings: BaseModel
    factory: Callable[[Any, Site], T]

    async def make(self, site: Site) -> T:
        """What the plug-in's factory makes, awaited where it is a coroutine function.

        Raises:
            PluginError: the factory failed; errors of ours pass as they are.
        """
        with blaming(self.plugin, f"could not make {dotted(self.at)} ({self.name})"):
            made: Any = self.factory(self.settings, site)
            return await made if inspect.isawaitable(made) else made  # type: ignore[no-any-return]


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


def load_plugins(configuration: Configuration) -> PluginHost:
    """Load the plug-ins that the YAML allows.

    Raises:
        ConfigError: one is not installed; with its line, and names like it.
        PluginError: one cannot be imported or breaks the rules of a hook.
    """
    installed = available()
    names = configuration.settings.plugins
    raise_all(
        configuration.document.error(
            ("plugins", index),
            f"no plug-in {name} is installed",
            f"{nearest(name, installed)} (or install the package that brings it)",
        )
        for index, name in enumerate(names)
        if name not in installed
    )
    return PluginHost.load(names)


def pick(configuration: Configuration, host: PluginHost) -> Picks:
    """Check every `use:` and the settings beside it.

    Raises:
        ConfigError: with file, line, key and mend; a `ConfigErrors` where there are several.
    """
    settings, errors = configuration.settings, list[ConfigError]()

    def one(at: Steps, use: Use, offers: Offers[T]) -> Pick[T] | None:
        try:
            return _pick(configuration, at, use, offers)
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
    )


def _pick(configuration: Configuration, at: Steps, use: Use, offers: Offers[T]) -> Pick[T]:
    offer = offers.get(use.use)
    if offer is None:
        problem = f"no loaded plug-in offers a {offers.kind} called {use.use}"
        mend = nearest(use.use, offers) if offers else "add the plug-in that brings it to `plugins`"
        raise configuration.document.error((*at, "use"), problem, mend)
    settings = configuration.document.validate(offer.settings, at, without=frozenset({"use"}), forbid=True)
    return Pick(at, offer.name, offer.plugin, settings, offer.factory)
