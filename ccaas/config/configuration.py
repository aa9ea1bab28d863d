"""One ccaas.yaml, read and checked: first step, before any plug-in is loaded. The second is `ccaas.config.picks`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ccaas.config.document import Document, raise_all
from ccaas.config.settings import CcaasSettings
from ccaas.errors import ConfigError
from ccaas.ports.site import Site
from ccaas.spelling import nearest


@dataclass(frozen=True, slots=True)
class Configuration:
    """An installation's settings and where they came from."""

    document: Document
    settings: CcaasSettings
    site: Site

    @property
    def file(self) -> Path:
        """The YAML file, absolute."""
        return self.document.file


def load(file: Path) -> Configuration:
    """Read and check a ccaas.yaml; what stands beside `use` is left for `picks`.

    Raises:
        ConfigError: with file, line, key and mend; a `ConfigErrors` where there are several.
    """
    document = Document.read(file.absolute())
    settings = document.validate(CcaasSettings)
    raise_all(_contradictions(document, settings))
    folder = document.file.parent
    state = (folder / settings.state).resolve()
    site = Site(
        config_dir=folder,
        state_dir=state,
        models_dir=(folder / settings.models).resolve(),
        cache_dir=(folder / settings.cache).resolve() if settings.cache else state / "cache",
    )
    return Configuration(document, settings, site)


def _contradictions(document: Document, settings: CcaasSettings) -> Iterator[ConfigError]:
    """What no single section can see."""
    takers: dict[str, str] = {}
    for name, entry in settings.entries.items():
        if entry.reasoner not in settings.reasoners:
            yield document.error(
                ("entries", name, "reasoner"),
                f"there is no reasoner {entry.reasoner}",
                nearest(entry.reasoner, settings.reasoners),
            )
        for index, number in enumerate(entry.numbers):
            if number in takers:
                yield document.error(
                    ("entries", name, "numbers", index),
                    f"{number} is taken by the entry {takers[number]}",
                    "leave it in one of the two",
                )
            takers[number] = name
    for index, plugin in enumerate(settings.plugins):
        if plugin in settings.plugins[:index]:
            yield document.error(("plugins", index), f"{plugin} stands twice", "remove one of the two")
