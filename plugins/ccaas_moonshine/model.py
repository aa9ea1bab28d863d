"""One Moonshine model (Jeffries et al. 2024): encoder and decoder as ONNX graphs, decoded greedily with a draft.

Its two graphs run on one thread each and release the GIL; a model may be used by several threads at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ccaas.errors import SetupError
from ccaas.inference import UNUSABLE, open_session, prepared
from ccaas_moonshine import draft as drafts
from ccaas_moonshine.vocabulary import BEGIN, END, Vocabulary

RATE = 16_000
LEAST_SAMPLES = 1_600
"""The encoder's convolutions need 0.1 s."""
TOKENS_A_SECOND = 6.5
"""More than this is a model that repeats itself (Moonshine's authors' bound)."""

Floats = NDArray[np.float32]
_Cache = dict[str, Floats]

_UNUSABLE: tuple[type[Exception], ...] = (*UNUSABLE, ValueError)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a model heard."""

    text: str
    tokens: tuple[int, ...]
    """Without markers: a draft for a later decoding."""
    confidence: float
    """Geometric mean of the tokens' probabilities (0…1); 0 for an empty text."""


NOTHING = Decoded("", (), 0.0)


class MoonshineModel:
    """A loaded model."""

    def __init__(self, folder: Path, cache_dir: Path, threads: int = 1) -> None:
        """Load from a folder with encoder.onnx, decoder.onnx and tokenizer.json. Raises SetupError."""
        encoder, decoder, tokenizer = (folder / name for name in ("encoder.onnx", "decoder.onnx", "tokenizer.json"))
        for path in (encoder, decoder, tokenizer):
            if not path.is_file():
                raise SetupError(f"the Moonshine model lacks its file {path}; run `make setup`")
        try:
            self._vocabulary = Vocabulary(tokenizer)
            graphs = prepared(folder.name, (encoder, decoder), cache_dir, "ccaas_moonshine.graph")
            self._encoder = open_session(graphs / "listen.onnx", threads)
            self._decoder = open_session(graphs / "step.onnx", threads)
        except _UNUSABLE as error:
            raise SetupError(f"the Moonshine model in {folder} cannot be loaded ({error}); run `make setup`") from error
        pasts = [value for value in self._decoder.get_inputs() if value.name.startswith("past_key_values")]
        of_encoder = [value.name for value in pasts if ".encoder." in value.name]
        of_decoder = [value for value in pasts if ".encoder." not in value.name]
        self._heard = tuple(of_encoder)
        self._pasts = tuple(value.name for value in of_decoder)
        self._empty = {v.name: np.zeros((1, v.shape[1], 0, v.shape[3]), np.float32) for v in of_decoder}

    def transcribe(self, samples: Floats, draft: Sequence[int] = (), voiced: bool = True) -> Decoded:
        """What is said in `samples` (16 kHz, -1…1).

        `draft` are tokens that are probably right; they change the time it takes, not what comes out. `voiced`: there is
        speech for certain, so an empty result is not believed.

        Raises:
            One of RUNTIME_ERRORS: the runtime failed.
        """
        if samples.size < LEAST_SAMPLES:
            return NOTHING
        heard = self._encoder.run(None, {"input_values": samples[np.newaxis]})
        cache = {**dict(zip(self._heard, heard, strict=True)), **self._empty}
        limit = max(3, int(samples.size / RATE * TOKENS_A_SECOND))
        return self._decode(cache, tuple(draft)[:limit], limit, voiced)

    def _decode(self, cache: _Cache, guess: tuple[int, ...], limit: int, voiced: bool) -> Decoded:
        made: list[int] = []
        logs: list[float] = []
        before = BEGIN
        while len(made) < limit:
            logits = self._step([before, *guess], cache)
            if voiced and not made:
                logits[0, END] = -np.inf
            wanted = logits.argmax(axis=1)
            good = drafts.agreed(guess, wanted.tolist())
            # One token more than was agreed: the model's own, behind the last one that it agreed with.
            fresh = [*guess[:good], int(wanted[good])]
            logs.extend(_log_probability(logits[: good + 1], fresh))
            made.extend(fresh)
            if END in fresh:
                made = made[: made.index(END)]
                break
            _cut(cache, len(made))
            before = fresh[-1]
            guess = drafts.rest(guess, good, before)[: limit - len(made)] if good < len(guess) else ()
        confidence = float(np.exp(np.mean(logs[: len(made) + 1]))) if made else 0.0
        return Decoded(self._vocabulary.text(made), tuple(made), confidence)

    def _step(self, tokens: list[int], cache: _Cache) -> Floats:
        """Logits [tokens, vocabulary] behind each of `tokens`; appends them to the cache."""
        outputs = self._decoder.run(None, {"input_ids": np.array([tokens], np.int64), **cache})
        cache.update(zip(self._pasts, outputs[1:], strict=True))
        logits: Floats = outputs[0][0]
        return logits


def _cut(cache: _Cache, length: int) -> None:
    """Forget what was decoded behind the first `length` tokens (the beginning mark counts as one)."""
    for name, value in cache.items():
        if ".decoder." in name and value.shape[2] > length:
            cache[name] = np.ascontiguousarray(value[:, :, :length])


def _log_probability(logits: Floats, tokens: Sequence[int]) -> list[float]:
    top = logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    chosen = logits[np.arange(len(tokens)), list(tokens)]
    return [float(value) for value in chosen - total]
