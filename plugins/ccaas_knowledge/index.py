"""The passages of a folder with their vectors: read once, kept in the cache by content, so that only new pages cost anything."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ccaas_flows.understanding.embedding import Embedding, Vectors

from ccaas.errors import SetupError
from ccaas_knowledge.pages import SUFFIXES, read
from ccaas_knowledge.passages import Passage, cut

_FORMAT = "2"
"""Of the cached files; another one is made anew."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """One page's passages and vectors."""

    passages: tuple[Passage, ...]
    whole: Vectors
    """Of each passage with its headings, shape [passages, size]."""
    sentences: Vectors
    """Of all their sentences with the headings, in order, shape [sentences, size]."""


def pages(folder: Path) -> list[Path]:
    """The pages of a folder, in order.

    Raises:
        SetupError: there is no such folder, or nothing in it.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in SUFFIXES)
    if not found:
        raise SetupError(
            f"{folder}: there are no pages to look things up in; put {', '.join(SUFFIXES)} files there, or correct `folder`"
        )
    return found


class Cache:
    """Vectors by the content of a page and the model that made them."""

    def __init__(self, folder: Path, model: str, embedding: Embedding) -> None:
        """`model`: what its vectors are known by."""
        self._folder = folder
        self._model = model
        self._embedding = embedding
        self.made = 0
        """Pages that were read and embedded, because the cache had none of them."""

    def page(self, path: Path, name: str) -> Indexed:
        """A page by its path, cited as `name`. Raises SetupError."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SetupError(f"{path}: this page cannot be read ({error.strerror}); mend its rights") from error
        digest = hashlib.sha256(
            b"\0".join([_FORMAT.encode(), self._model.encode(), name.encode(), content])
        ).hexdigest()
        kept = self._folder / f"{digest[:32]}.npz"
        found = _load(kept)
        if found is None:
            found = self._embed(cut(name, read(path)))
            self._save(kept, found)
            self.made += 1
        return found

    def _embed(self, passages: tuple[Passage, ...]) -> Indexed:
        whole = [f"{passage.headings}. {passage.text}" for passage in passages]
        parts = [f"{passage.headings}. {sentence}" for passage in passages for sentence in passage.sentences]
        return Indexed(passages, self._vectors(whole), self._vectors(parts))

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        return self._embedding.embed(texts) if texts else np.zeros((0, 384), np.float32)

    def _save(self, kept: Path, found: Indexed) -> None:
        told = json.dumps([asdict(passage) for passage in found.passages])
        scratch = kept.with_suffix(f".{os.getpid()}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with scratch.open("wb") as file:
                np.savez(file, told=np.array(told), whole=found.whole, sentences=found.sentences)
            scratch.replace(kept)
        except OSError as error:
            raise SetupError(
                f"{self._folder} cannot be written ({error.strerror}); make room, or mend its rights or `cache` in the YAML"
            ) from error


def _load(kept: Path) -> Indexed | None:
    try:
        with kept.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            told: list[dict[str, Any]] = json.loads(str(stored["told"]))
            passages = tuple(Passage(one["source"], one["headings"], tuple(one["sentences"])) for one in told)
            return Indexed(passages, stored["whole"], stored["sentences"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
