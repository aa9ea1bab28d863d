"""The reasoner "llm": one client for all calls, and the flows that stand by."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace

from ccaas_flows.reasoner import FlowsReasoner
from ccaas_flows.settings import FlowsSettings
from ccaas_flows.understanding.embedding import Embedding

from ccaas.errors import SetupError
from ccaas.ports.journey import Json
from ccaas.ports.reasoning import DialogueContext
from ccaas.ports.site import Site
from ccaas_llm.client import Client
from ccaas_llm.dialogue import LlmDialogue
from ccaas_llm.meter import Health
from ccaas_llm.prompt import TEXT_CHANNELS
from ccaas_llm.rules import Never
from ccaas_llm.settings import LlmSettings
from ccaas_llm.standby import Standby
from ccaas_llm.state import kept_state, left_by_model
from ccaas_llm.thinking import Mind
from ccaas_llm.toolset import Toolset
from ccaas_llm.veil import Veil


class LlmReasoner:
    """Conversations with a large language model."""

    def __init__(self, settings: LlmSettings, site: Site, embedding: Embedding | None = None) -> None:
        """Raises ConfigError when the flows file cannot be used."""
        self._settings = settings
        self._flows: FlowsReasoner | None = None
        if settings.flows:
            own = FlowsSettings(file=settings.flows, model=settings.flows_model, thread_days=settings.thread_days)
            self._flows = FlowsReasoner(own, site, embedding)
        self._never = Never(settings.never)
        self._health = Health(settings.rest_after, settings.rest_s)
        self._client: Client | None = None

    async def start(self) -> None:
        """Take the key from the environment, and load the flows. The server may come later: it is not asked here."""
        name = self._settings.api_key_env
        key = os.environ.get(name, "") if name else ""
        if name and not key:
            raise SetupError(
                f"the environment variable {name} (`api_key_env` of the reasoner llm) is not set; set it to the API key"
            )
        self._client = Client(self._settings, key)
        if self._flows is not None:
            await self._flows.start()

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> LlmDialogue:
        """See the port."""
        if self._client is None:
            raise SetupError("the reasoner llm was asked for a dialogue before it was started; call start() first")
        written = context.channel in TEXT_CHANNELS
        tools = Toolset(self._settings, context.tools)
        mind = Mind(self._client, self._settings, self._never, tools, context.tools, written, Veil.of(context))
        return LlmDialogue(mind, context, kept_state(snapshot), self._health, self._standby(context, snapshot))

    def _standby(self, context: DialogueContext, snapshot: Json | None) -> Standby | None:
        if self._flows is None:
            return None
        inner = (snapshot or {}).get("flows")
        journey = context.journey
        if journey is not None:
            # A thread that the model left open is the model's to bring up.
            theirs = tuple(thread for thread in journey.threads if not left_by_model(thread.snapshot))
            context = replace(context, journey=replace(journey, threads=theirs))
        flows = self._flows.open(context, inner if isinstance(inner, dict) else None)
        return Standby(flows, self._flows.intents)

    def phrases(self) -> tuple[str, ...]:
        """The core's own sentences, and the flows'."""
        words = self._settings.words.model_dump()
        found = [text for value in words.values() for text in ([value] if isinstance(value, str) else value)]
        found += [rule.say for rule in self._settings.never]
        found += self._flows.phrases() if self._flows is not None else ()
        return tuple(dict.fromkeys(text for text in found if text.strip() and "{" not in text))

    async def close(self) -> None:
        """Let the connections and the flows go."""
        if self._client is not None:
            with suppress(TimeoutError):
                await self._client.close()
        if self._flows is not None:
            await self._flows.close()
