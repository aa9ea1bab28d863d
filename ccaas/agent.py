"""The AI agent as a call's attendant: a conversation, its tools, its recording and its books, joined for one call."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path

import msgspec
import structlog

from ccaas.actions.runner import CallTools
from ccaas.config.settings import Destination
from ccaas.conversation.conversation import Conversation
from ccaas.conversation.events import TurnRecord
from ccaas.conversation.parts import Parts
from ccaas.hooks import PluginHost
from ccaas.journal.entries import Snapshot, Turn
from ccaas.journal.journal import Journal
from ccaas.media.recording import Recording
from ccaas.media.tracks import Tracks
from ccaas.ports.journey import Customer
from ccaas.ports.media import MediaStream
from ccaas.ports.reasoning import DialogueContext, Ending, Json, Reasoner
from ccaas.telephony.desk import AudioLost, HangUp, Next, Target, TransferTo
from ccaas.telephony.events import EndReason

_log = structlog.get_logger(__name__)


class Agent:
    """Implements `telephony.desk.Attendant` for one call."""

    def __init__(
        self,
        call_id: str,
        ani: str,
        dnis: str,
        customer: Customer | None,
        reasoner: Reasoner,
        tools: CallTools,
        parts: Parts,
        journal: Journal,
        host: PluginHost,
        destinations: dict[str, Destination],
        recordings: Path | None,
        disk: Executor,
    ) -> None:
        """`recordings`: the folder for this call's recording, None when calls are not recorded."""
        self._call_id = call_id
        self._ani = ani
        self._dnis = dnis
        self._customer = customer
        self._reasoner = reasoner
        self._tools = tools
        self._parts = parts
        self._journal = journal
        self._host = host
        self._destinations = destinations
        self._folder = recordings
        self._disk = disk
        self._conversation: Conversation | None = None
        self._recording: Recording | None = None
        self._snapshot: Json | None = None
        self._turns: dict[str, TurnRecord] = {}

    def remember(self, snapshot: Json | None, turns: tuple[TurnRecord, ...]) -> None:
        """What an earlier controller had journalled of this call."""
        self._snapshot = snapshot
        self._turns = {turn.turn_id: turn for turn in turns}

    async def attend(self, stream: MediaStream, reason: str = "") -> Next:
        """Converse over `stream`; see `Attendant`."""
        settings = self._parts.settings
        conversation = Conversation(
            self._call_id,
            stream,
            self._reasoner,
            self._context(),
            self._parts,
            Tracks(self._record(stream)),
            self._publish,
            self._save,
            len(self._turns),
        )
        self._conversation = conversation
        try:
            async with asyncio.timeout(settings.longest_call_s):
                outcome = await conversation.run(self._snapshot, self._first_words(reason))
        except TimeoutError:
            _log.warning("call is too long and ends", call=self._call_id, limit_s=settings.longest_call_s)
            return HangUp()
        finally:
            self._conversation = None
        match outcome.ending:
            case Ending.HANG_UP:
                return HangUp()
            case Ending.TRANSFER:
                return TransferTo(outcome.destination)
            case None:
                return AudioLost()

    def key(self, digit: str) -> None:
        """See `Attendant`."""
        if self._conversation is not None:
            self._conversation.key(digit)

    def hold(self, held: bool) -> None:
        """See `Attendant`."""
        if self._conversation is not None:
            self._conversation.hold(held)

    def target(self, name: str) -> Target | None:
        """See `Attendant`."""
        destination = self._destinations.get(name)
        if destination is None:
            return None
        return Target(destination.endpoint, destination.timeout_s, self._ani or self._dnis, destination.blind)

    async def leave(self) -> None:
        """See `Attendant`."""
        self._close_recording()

    async def finish(self, reason: EndReason, cause: int) -> None:
        """See `Attendant`: writes that still run are waited for, the recording is closed, the turns are written out."""
        await self._tools.settle()
        self._close_recording()
        if self._folder is not None and self._turns:
            lines = b"".join(msgspec.json.encode(asdict(turn)) + b"\n" for turn in self._turns.values())
            await asyncio.get_running_loop().run_in_executor(self._disk, _write, self._turns_file(), lines)

    def _context(self) -> DialogueContext:
        return DialogueContext(
            call_id=self._call_id,
            channel="voice",
            ani=self._ani,
            dnis=self._dnis,
            customer=self._customer,
            tools=self._tools,
            now=self._parts.clock.wall(),
        )

    def _first_words(self, reason: str) -> str:
        settings = self._parts.settings
        if reason == "unanswered":
            return settings.unanswered
        # The newest turn has no words yet when its answer was lost: what the caller was asked is further back.
        said = (turn.agent_text.removeprefix(settings.returned).strip() for turn in reversed(self._turns.values()))
        return f"{settings.returned} {next(filter(None, said), '')}".strip()

    def _record(self, stream: MediaStream) -> Recording | None:
        if self._folder is None:
            return None
        if self._recording is None:
            path = unused(self._folder / f"{self._call_id}.wav")
            self._recording = Recording(path, stream.codec.sample_rate, self._parts.clock.now(), self._disk)
        return self._recording

    def _turns_file(self) -> Path:
        assert self._folder is not None  # asked for only where calls are recorded
        return self._folder / f"{self._call_id}.jsonl"

    def _close_recording(self) -> None:
        if self._recording is not None:
            self._recording.close(self._parts.clock.now())
            self._recording = None

    def _publish(self, turn: TurnRecord) -> None:
        self._turns[turn.turn_id] = turn
        self._journal.post(Turn(self._call_id, turn))
        self._host.turn_event(self._call_id, turn)

    def _save(self, snapshot: Json) -> None:
        self._snapshot = snapshot
        self._journal.post(Snapshot(self._call_id, snapshot))


def unused(path: Path) -> Path:
    """`path`, or with a number before its ending when a file of that name exists."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        _log.error("turns not written beside the recording", path=str(path), error=str(error))
