"""The Recognizer: one Vosk model, shared by all calls."""

from __future__ import annotations

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ccaas.errors import SetupError
from ccaas.ports.site import Site
from ccaas.ports.speech import RecognizerCapabilities
from ccaas.ports.waits import Waits
from ccaas_vosk.settings import VoskSettings
from ccaas_vosk.stream import UNKNOWN, Decoder, VoskStream

if TYPE_CHECKING:
    import vosk

NEEDED = ("am/final.mdl", "conf/mfcc.conf")


class VoskRecognizer:
    """See `ccaas.ports.speech.Recognizer`."""

    def __init__(self, settings: VoskSettings, site: Site) -> None:
        self._settings = settings
        self._folder = site.path(settings.model)
        self._rate = 16_000
        self._model: vosk.Model | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._waits = Waits()

    @property
    def capabilities(self) -> RecognizerCapabilities:
        """The rate is the model's own once started."""
        return RecognizerCapabilities(self._rate, interim=True, languages=(self._settings.language,))

    @property
    def lag_s(self) -> float:
        return self._waits.lag_s

    async def start(self) -> None:
        """Load the model. Raises SetupError naming what is missing and the mend."""
        for name in NEEDED:
            if not (self._folder / name).is_file():
                raise SetupError(
                    f"{self._folder} is no Vosk model, it lacks {name}; unpack one there or correct `model`"
                )
        self._rate = _rate(self._folder / "conf" / "mfcc.conf")
        self._pool = ThreadPoolExecutor(self._settings.workers, thread_name_prefix="vosk")
        self._model = await asyncio.to_thread(self._load)

    def open(self) -> VoskStream:
        """A new utterance."""
        assert self._pool is not None, "start() comes first"
        return VoskStream(self._decoder, self._rate, self._pool, self._waits)

    async def close(self) -> None:
        """Drop the model; decodings under way are waited for."""
        if self._pool is not None:
            await asyncio.to_thread(self._pool.shutdown)
            self._pool = None
        self._model = None

    def _load(self) -> vosk.Model:
        try:
            import vosk
        except ImportError as error:
            raise SetupError(f"the package vosk cannot be imported ({error}); install ccaas[vosk]") from error
        vosk.SetLogLevel(-2)
        model = vosk.Model(str(self._folder))
        words = {word for phrase in self._settings.phrases for word in phrase.split()}
        unknown = sorted(word for word in words if model.vosk_model_find_word(word) < 0)
        if unknown:
            raise SetupError(
                f"the Vosk model {self._folder} does not know {', '.join(unknown)}; take these out of `phrases`, or spell "
                "them as the model does"
            )
        return model

    def _decoder(self) -> Decoder:
        import vosk

        phrases = list(self._settings.phrases)
        # Vosk's word for all other sounds, so that noise does not become a phrase; some models lack it.
        if phrases and self._model is not None and self._model.vosk_model_find_word(UNKNOWN) >= 0:
            phrases.append(UNKNOWN)
        grammar = [json.dumps(phrases, ensure_ascii=False)] if phrases else []
        decoder: Decoder = vosk.KaldiRecognizer(self._model, self._rate, *grammar)
        decoder.SetWords(True)  # type: ignore[attr-defined]  # for the words' confidence
        return decoder


def _rate(configuration: Path) -> int:
    found = re.search(r"--sample-frequency=(\d+)", configuration.read_text())
    return int(found[1]) if found else 16_000
