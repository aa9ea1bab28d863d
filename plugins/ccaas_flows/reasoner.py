"""The reasoner "flows": one program and one understanding for all calls."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ccaas.errors import SetupError
from ccaas.ports.journey import Json
from ccaas.ports.reasoning import DialogueContext
from ccaas.ports.site import Site
from ccaas_flows.dialogue import FlowDialogue, restored
from ccaas_flows.machine import TEXT_CHANNELS
from ccaas_flows.program import Program
from ccaas_flows.settings import FlowsSettings
from ccaas_flows.source import load
from ccaas_flows.state import State
from ccaas_flows.templates import PLACEHOLDER
from ccaas_flows.understanding.classifier import IntentClassifier
from ccaas_flows.understanding.embedding import Embedding, MiniLm
from ccaas_flows.understanding.reading import Understanding
from ccaas_flows.understanding.slots import fill


def understanding_of(program: Program, embedding: Embedding, cache_dir: Path | None) -> Understanding:
    """What reads turns for this program. Blocks for seconds when the examples are new."""
    slots = tuple(program.slots.values())
    classifier = IntentClassifier(program.examples, embedding, cache_dir, marks=lambda text: fill(text, slots))
    return Understanding(classifier, slots)


class FlowsReasoner:
    """Conversations from a flows file."""

    def __init__(self, settings: FlowsSettings, site: Site, embedding: Embedding | None = None) -> None:
        self._settings = settings
        self._site = site
        self._embedding = embedding
        self._program: Program = load(site.path(settings.file))
        self._written = self._program.for_text()
        self._understanding: Understanding | None = None

    @property
    def intents(self) -> frozenset[str]:
        """Names of what callers may want."""
        return frozenset(self._program.intents)

    async def start(self) -> None:
        """Load the model and learn the examples, or take what was learnt before from the cache."""
        self._understanding = await asyncio.to_thread(self._learn)

    def _learn(self) -> Understanding:
        embedding = self._embedding or MiniLm(self._site.models_dir / self._settings.model, self._site.cache_dir)
        return understanding_of(self._program, embedding, self._site.cache_dir)

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> FlowDialogue:
        """See the port."""
        if self._understanding is None:
            raise SetupError("the reasoner flows was asked for a dialogue before it was started; call start() first")
        state = State() if snapshot is None else restored(snapshot, self._program)
        program = self._written if context.channel in TEXT_CHANNELS else self._program
        return FlowDialogue(program, self._understanding, context, state, self._settings.thread_days)

    def phrases(self) -> tuple[str, ...]:
        """Every sentence of the file that has no values in it."""
        return tuple(dict.fromkeys(text for text in _sentences(self._program) if text and not PLACEHOLDER.search(text)))

    async def close(self) -> None:
        """Let the model go."""
        self._understanding = None


def _sentences(program: Program) -> list[str]:
    words = program.words
    found = [
        program.greeting,
        program.greeting_known,
        program.give_up,
        program.silence_goodbye,
        *program.silence,
        *words.ask_again,
    ]
    found += [
        words.what_then, words.anything_else, words.goodbye, words.stopped, words.cancelled, words.cannot, words.help, words.hello,
        words.again, words.trouble, words.confirm_again, words.first_heard, words.what_change, words.later, words.unverified, words.not_mine, words.limit, words.not_known,
    ]  # fmt: skip
    found += [intent.say for intent in program.intents.values()]
    for ops in program.flows.values():
        for op in ops:
            for name in ("text", "question", "offer", "more", "meanwhile"):
                found.append(getattr(op, name, ""))
            found += getattr(op, "reask", ())
    return [text.replace("{business}", program.business) for text in found]
