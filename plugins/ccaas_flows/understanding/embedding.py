"""Sentence vectors by MiniLM (all-MiniLM-L6-v2, int8 ONNX): mean of the token vectors, length one, shape [384]."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ccaas.errors import SetupError
from ccaas.inference import UNUSABLE, open_session, prepared
from ccaas_flows.understanding.wordpiece import WordPiece

Vectors = NDArray[np.float32]


class Embedding(Protocol):
    """What turns sentences into vectors."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape [len(texts), size]. Blocks; releases the GIL."""
        ...


class MiniLm:
    """The model in one thread; a call of ten words takes about 4 ms."""

    def __init__(self, folder: Path, cache_dir: Path) -> None:
        model, tokenizer = folder / "model.onnx", folder / "tokenizer.json"
        for file in (model, tokenizer):
            if not file.is_file():
                raise SetupError(f"{file}: the language model is missing; run `make setup`")
        try:
            self._session = open_session(prepared(folder.name, (model,), cache_dir) / model.name)
        except UNUSABLE as error:
            raise SetupError(f"{model}: the language model cannot be loaded ({error}); run `make setup`") from error
        self._tokens = WordPiece.load(tokenizer)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedding`. Sentences of like length share a batch, so that little is padded."""
        ids = [self._tokens.ids(text) for text in texts]
        order = sorted(range(len(ids)), key=lambda n: len(ids[n]))
        vectors = np.zeros((len(ids), 384), np.float32)
        for at in range(0, len(order), 16):
            batch = order[at : at + 16]
            longest = max(len(ids[n]) for n in batch)
            tokens = np.zeros((len(batch), longest), np.int64)
            mask = np.zeros((len(batch), longest), np.int64)
            for row, n in enumerate(batch):
                tokens[row, : len(ids[n])] = ids[n]
                mask[row, : len(ids[n])] = 1
            feed = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
            hidden = self._session.run(None, feed)[0]
            weights = mask[..., None].astype(np.float32)
            vectors[batch] = (hidden * weights).sum(1) / weights.sum(1)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(norms, 1e-9), np.float32)
