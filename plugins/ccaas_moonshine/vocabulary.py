"""From token ids to text, by the tokenizer file that comes with the models (byte-pair encoding of Llama's kind)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

BEGIN = 1
END = 2

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


class Vocabulary:
    """The tokens' bytes."""

    def __init__(self, path: Path) -> None:
        """Raises OSError or ValueError when the file is missing or is no tokenizer."""
        said = json.loads(path.read_text())
        try:
            tokens: dict[str, int] = said["model"]["vocab"]
            special = {token["id"] for token in said["added_tokens"] if token["special"]}
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is no tokenizer file: {error} is missing") from error
        self._bytes = [b""] * (max(tokens.values()) + 1)
        for token, number in tokens.items():
            if number in special:
                continue
            single = _BYTE.fullmatch(token)
            self._bytes[number] = bytes([int(single[1], 16)]) if single else token.replace("▁", " ").encode()

    def text(self, tokens: Sequence[int]) -> str:
        """The words of these tokens; unknown numbers and markers are nothing."""
        pieces = (self._bytes[token] for token in tokens if 0 <= token < len(self._bytes))
        return b"".join(pieces).decode(errors="replace").strip()
