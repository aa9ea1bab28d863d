"""What the plug-ins offer, by kind and name: the factories that the YAML's `use:` chooses from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from ccaas.errors import PluginError
from ccaas.ports.site import Site

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offer(Generic[T]):
    """One factory of one plug-in."""

    name: str
    """What the YAML writes after `use:`."""
    plugin: str
    """The plug-in that offers it, by its entry point's name."""
    factory: Callable[[Any, Site], T]
    """Takes the validated settings and the site; may be a coroutine function."""
    settings: type[BaseModel]
    """The model of the settings beside `use`."""


class Offers(Mapping[str, Offer[T]]):
    """All offers of one kind."""

    def __init__(self, kind: str, ours: tuple[str, ...] = ("use",)) -> None:
        """`ours`: keys that stand beside the plug-in's settings in the YAML and are the core's."""
        self.kind = kind
        """What they are, in the words of an error: "recognizer"."""
        self._ours = ours
        self._offers: dict[str, Offer[T]] = {}

    def __getitem__(self, name: str) -> Offer[T]:
        return self._offers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._offers)

    def __len__(self) -> int:
        return len(self._offers)

    def register_for(self, plugin: str) -> Callable[[str, Callable[[Any, Site], T], type[BaseModel]], None]:
        """The `register` callback that is handed to one plug-in."""

        def register(name: str, factory: Callable[[Any, Site], T], settings: type[BaseModel]) -> None:
            self._add(Offer(name, plugin, factory, settings))

        return register

    def _add(self, offer: Offer[T]) -> None:
        where = f'plug-in "{offer.plugin}": {self.kind} {offer.name!r}'
        if not isinstance(offer.name, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", offer.name):
            raise PluginError(f"{where}: that is no name; use lower-case letters, digits and underscores")
        if not callable(offer.factory):
            raise PluginError(f"{where}: its factory cannot be called; give a function of settings and site")
        if not (isinstance(offer.settings, type) and issubclass(offer.settings, BaseModel)):
            raise PluginError(f"{where}: its settings are no pydantic model; give a class made from BaseModel")
        for key in self._ours:
            if key in offer.settings.model_fields:
                raise PluginError(f"{where}: its settings have a field `{key}`, which is the core's; rename it")
        other = self._offers.get(offer.name)
        if other is not None:
            whose = "itself" if other.plugin == offer.plugin else f'plug-in "{other.plugin}"'
            raise PluginError(f"{where}: {whose} offers one of that name already; remove one of them from `plugins`")
        self._offers[offer.name] = offer
