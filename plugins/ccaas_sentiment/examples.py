"""The example sentences from which moods and wishes are learnt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ccaas.config.document import Document

BUILTIN = Path(__file__).with_name("builtin.yaml")

_FEWEST = 3


class ExamplesFile(BaseModel):
    """One file of examples. Any of the lists may be left out."""

    model_config = ConfigDict(extra="forbid")

    upset: tuple[str, ...] = Field(
        default=(), description="Said by callers who are angry or at the end of their patience."
    )
    calm: tuple[str, ...] = Field(default=(), description="Said by callers who only want something.")
    pleased: tuple[str, ...] = Field(default=(), description="Said by callers who are content.")
    human: tuple[str, ...] = Field(
        default=(), description="Asks for a person; calm unless it also stands under `upset`."
    )
    no_human: tuple[str, ...] = Field(default=(), description="Sounds like it, and does not ask for a person; calm.")


@dataclass(frozen=True, slots=True)
class Examples:
    """Sentences with what each of them shows."""

    texts: tuple[str, ...]
    upset: tuple[bool, ...]
    pleased: tuple[bool, ...]
    human: tuple[bool, ...]


def read(own: Path | None, *, built_in: bool) -> Examples:
    """The examples of an installation's `own` file, and those that are brought along.

    Raises:
        ConfigError: the file cannot be read, has other keys, or there is too little to learn from.
    """
    files = [Document.read(path) for path in ((BUILTIN,) if built_in else ()) + ((own,) if own is not None else ())]
    shapes = [document.validate(ExamplesFile) for document in files]
    together = {
        name: tuple(dict.fromkeys(text for shape in shapes for text in getattr(shape, name)))
        for name in ExamplesFile.model_fields
    }
    for name in ("upset", "calm", "human"):
        if len(together[name]) < _FEWEST:
            document = files[-1] if files else Document(BUILTIN, None)
            raise document.error((name,), f"there are not {_FEWEST} examples of {name}", "write some more")
    texts = tuple(dict.fromkeys(text for sentences in together.values() for text in sentences))
    upset, pleased, human = (frozenset(together[name]) for name in ("upset", "pleased", "human"))
    return Examples(
        texts,
        tuple(text in upset for text in texts),
        tuple(text in pleased for text in texts),
        tuple(text in human for text in texts),
    )
