"""What has answered: the first seconds of a call are listened to, before anybody speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from ccaas.dialler.dispositions import Disposition
from ccaas.media.codec import coder
from ccaas.ports.answering import AnsweredBy, AnsweringDetector, Verdict
from ccaas.ports.media import MediaStream

_log = structlog.get_logger(__name__)

LONGEST_S = 8.0
"""Nobody is kept waiting longer: what has not been told by then is taken for a person."""

NO_PERSON: Mapping[AnsweredBy, Disposition] = {
    AnsweredBy.MACHINE: Disposition.MACHINE,
    AnsweredBy.FAX: Disposition.FAX,
    AnsweredBy.TONES: Disposition.INVALID,
    AnsweredBy.SILENCE: Disposition.SILENCE,
}

Listens = Callable[[MediaStream], Awaitable[Disposition | None]]
"""What has answered, where it is no person."""


def listening(detector: Callable[[int], AnsweringDetector]) -> Listens:
    """`detector`: makes one for audio of this rate (Hz)."""

    async def listen(stream: MediaStream) -> Disposition | None:
        said: asyncio.Future[Verdict | None] = asyncio.get_running_loop().create_future()
        decoder, one = coder(stream.codec), detector(stream.codec.sample_rate)

        def heard(coded: bytes) -> None:
            verdict = None if said.done() else one.push(decoder.decode(coded))
            if isinstance(verdict, Verdict):
                said.set_result(verdict)

        def lost() -> None:
            if not said.done():
                said.set_result(None)

        stream.listen(heard, lost)
        try:
            async with asyncio.timeout(LONGEST_S):
                verdict = await said
        except TimeoutError:
            verdict = None
        finally:
            stream.listen(lambda _: None, lambda: None)
        if verdict is None:
            return None
        _log.info("what has answered", by=verdict.by.value, why=verdict.why, at_s=round(verdict.at_s, 2))
        return NO_PERSON.get(verdict.by)

    return listen
