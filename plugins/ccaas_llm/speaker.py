"""How what the model comes to is spoken of."""

from __future__ import annotations

from dataclasses import replace

from ccaas.ports.reasoning import Ending, Reply
from ccaas_llm.confirming import YES_NO, expected, question
from ccaas_llm.settings import LlmSettings
from ccaas_llm.thinking import Clause, Event, Held
from ccaas_llm.toolset import Call, Handling, Toolset


class Speaker:
    """Makes replies of events."""

    def __init__(self, settings: LlmSettings, tools: Toolset) -> None:
        self._settings = settings
        self._tools = tools

    def put_through(self) -> Reply:
        """To a person."""
        return Reply(self._settings.words.transfer, ending=Ending.TRANSFER, destination=self._settings.destination)

    def reply(self, event: Event, *, said: bool = False) -> Reply | None:
        """None when something must be done first. `said`: words of the model's came before."""
        if isinstance(event, Clause):
            return Reply(event.text, expected(event.text))
        if not isinstance(event, Held):
            return None
        match event.call.handling:
            case Handling.END:
                return Reply("" if said else self._settings.words.goodbye, ending=Ending.HANG_UP)
            case Handling.HAND_OVER:
                return replace(self.put_through(), text="" if said else self._settings.words.transfer)
            case Handling.CONFIRM:
                return Reply(self._question(event.call), YES_NO)
            case _:
                return None

    def _question(self, call: Call) -> str:
        tool = self._tools.find(call.name)
        return question(self._settings, tool, call.arguments) if tool is not None else ""
