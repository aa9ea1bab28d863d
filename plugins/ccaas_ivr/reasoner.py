"""The reasoner "ivr"."""

from __future__ import annotations

from ccaas_flows.reasoner import FlowsReasoner
from ccaas_flows.settings import FlowsSettings
from ccaas_flows.understanding.embedding import Embedding

from ccaas.ports.journey import Json
from ccaas.ports.reasoning import DialogueContext
from ccaas.ports.site import Site
from ccaas_ivr.dialogue import IvrDialogue, restored
from ccaas_ivr.keypad import KeyState
from ccaas_ivr.menus import check_intents, load
from ccaas_ivr.settings import IvrSettings


class IvrReasoner:
    """Menus for those who press keys, a flows file for those who speak."""

    def __init__(self, settings: IvrSettings, site: Site, embedding: Embedding | None = None) -> None:
        path = site.path(settings.file)
        document, self._file = load(path)
        front_door = path.parent / self._file.front_door
        if not front_door.is_file():
            raise document.error(
                ("front_door",), f"there is no file {self._file.front_door} beside this one", "correct the path"
            )
        own = FlowsSettings(file=str(front_door), model=settings.model, thread_days=settings.thread_days)
        self._flows = FlowsReasoner(own, site, embedding)
        check_intents(document, self._file, self._flows.intents)

    async def start(self) -> None:
        """Load the front door's language model."""
        await self._flows.start()

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> IvrDialogue:
        """See the port."""
        if snapshot is None:
            return IvrDialogue(self._file, self._flows.open(context), KeyState(), resumed=False)
        inner = snapshot.get("flows")
        flows = self._flows.open(context, inner if isinstance(inner, dict) else None)
        return IvrDialogue(self._file, flows, restored(snapshot, self._file), resumed=True)

    def phrases(self) -> tuple[str, ...]:
        """The menus' sentences and the front door's."""
        found = [
            text
            for menu in self._file.menus.values()
            for text in (menu.prompt, menu.invalid, menu.silent, menu.give_up.say)
        ]
        found += [choice.say for menu in self._file.menus.values() for choice in menu.choices.values()]
        found += [menu.collect.then.say for menu in self._file.menus.values() if menu.collect]
        return tuple(dict.fromkeys(text for text in (*found, *self._flows.phrases()) if text))

    async def close(self) -> None:
        """Let the language model go."""
        await self._flows.close()
