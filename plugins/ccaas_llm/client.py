"""One server with an OpenAI-compatible API, by `pydantic-ai`: messages in, pieces of the answer out as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from openai import AsyncOpenAI, OpenAIError
from pydantic_ai.direct import model_request_stream
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelConnectionError,
    ModelHTTPError,
    UnexpectedModelBehavior,
    UserError,
)
from pydantic_ai.messages import (
    ModelMessage,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ToolCallPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from ccaas_llm.faults import ModelFault, Why
from ccaas_llm.settings import LlmSettings, Task


@dataclass(frozen=True, slots=True)
class Words:
    """Some more text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The model asks for a tool."""

    id: str
    name: str
    arguments: str
    """As the model wrote them; JSON if all is well."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What the answer took; the last piece."""

    model: str
    input: int
    """Tokens."""
    output: int


Piece = Words | Asked | Spent

_CONNECT_S = 2.0
_CHARACTERS_A_TOKEN = 4


class Client:
    """Connections are kept and shared by all conversations. Nothing is tried twice here: the caller is waiting."""

    def __init__(self, settings: LlmSettings, key: str) -> None:
        self._settings = settings
        self._openai = AsyncOpenAI(
            base_url=settings.url,
            api_key=key or "none",
            max_retries=0,
            timeout=settings.limits.turn_ms / 1000,
        )
        provider = OpenAICompatibleProvider("llm", openai_client=self._openai)
        names = {settings.model, *settings.models.values()}
        self._models = {name: OpenAIChatModel(name, provider=provider) for name in sorted(names)}

    def model_for(self, task: Task) -> str:
        """The name of the model that does it."""
        return self._settings.models.get(task, self._settings.model)

    async def ask(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolDefinition], task: Task
    ) -> AsyncGenerator[Piece]:
        """One request. Text comes as it is generated, then the tools that are asked for, then what it took.

        Whoever stops iterating (or is cancelled) closes the connection, and with it the generation.

        Raises:
            ModelFault: BUSY, REFUSED, DISCONNECTED or WRONG.
        """
        name = self.model_for(task)
        settings = ModelSettings(
            temperature=self._settings.temperature,
            max_tokens=self._settings.limits.reply_tokens,
            parallel_tool_calls=True,
        )
        if not tools:
            del settings["parallel_tool_calls"]
        parameters = ModelRequestParameters(function_tools=list(tools))
        try:
            async with model_request_stream(
                self._models[name], messages, model_settings=settings, model_request_parameters=parameters
            ) as stream:
                written = 0
                async for event in stream:
                    text = ""
                    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
                        text = event.part.content
                    elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
                        text = event.delta.content_delta
                    if text:
                        written += len(text)
                        yield Words(text)
                answer = stream.get()
                if answer.finish_reason is None and not answer.parts:
                    raise ModelFault(Why.DISCONNECTED, "the model's answer broke off")
                for part in answer.parts:
                    if isinstance(part, ToolCallPart):
                        arguments = part.args if isinstance(part.args, str) else part.args_as_json_str()
                        written += len(arguments or "")
                        yield Asked(part.tool_call_id, part.tool_name, arguments or "{}")
                spent = stream.usage
                yield Spent(name, spent.input_tokens, spent.output_tokens or written // _CHARACTERS_A_TOKEN)
        except ModelHTTPError as error:
            busy = error.status_code == 429 or error.status_code >= 500
            raise ModelFault(
                Why.BUSY if busy else Why.REFUSED, f"the model's server answered {error.status_code}"
            ) from error
        except (ModelConnectionError, OSError) as error:
            raise ModelFault(Why.DISCONNECTED, f"the model's server cannot be reached ({error})") from error
        except (UnexpectedModelBehavior, UserError, ValueError, TypeError, KeyError, AttributeError) as error:
            # Servers that speak another dialect make the libraries stumble in many ways.
            raise ModelFault(Why.WRONG, f"the model's answer cannot be read ({error})") from error
        except (AgentRunError, OpenAIError) as error:
            garbled = isinstance(error.__cause__, ValueError)
            why = Why.WRONG if garbled else Why.DISCONNECTED
            raise ModelFault(why, f"the model's answer {'is garbled' if garbled else 'broke off'} ({error})") from error

    async def close(self) -> None:
        """Let the connections go."""
        async with asyncio.timeout(_CONNECT_S):
            await self._openai.close()
