"""BERT's WordPiece tokenisation (Devlin et al. 2018, uncased), from a `tokenizer.json` vocabulary."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

from ccaas.errors import Place, SetupError

_PIECE = re.compile(r"\w+|[^\w\s]")
_MAX_WORD = 100


class WordPiece:
    """Text to token ids."""

    def __init__(self, vocabulary: dict[str, int]) -> None:
        self._vocabulary = vocabulary
        self._unknown = vocabulary["[UNK]"]
        self._begin = vocabulary["[CLS]"]
        self._end = vocabulary["[SEP]"]

    @classmethod
    def load(cls, file: Path) -> WordPiece:
        """Raises SetupError when the file is not a WordPiece tokenizer."""
        try:
            return cls(json.loads(file.read_text("utf-8"))["model"]["vocab"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SetupError(
                f"{Place(file)}: cannot be read as a tokenizer ({error}); run `make setup` again"
            ) from error

    def ids(self, text: str, limit: int = 128) -> list[int]:
        """Token ids with the begin and end marks, at most `limit` of them."""
        plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
        found: list[int] = []
        for word in _PIECE.findall(plain.replace("_", " ")):
            found.extend(self._word(word))
        return [self._begin, *found[: limit - 2], self._end]

    def _word(self, word: str) -> list[int]:
        if len(word) > _MAX_WORD:
            return [self._unknown]
        pieces: list[int] = []
        start = 0
        while start < len(word):
            end = len(word)
            while end > start:
                piece = self._vocabulary.get(("##" if start else "") + word[start:end])
                if piece is not None:
                    break
                end -= 1
            else:
                return [self._unknown]
            pieces.append(piece)
            start = end
        return pieces
