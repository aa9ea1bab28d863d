"""The AI agent as a call's attendant: a conversation, its tools, its recording and its books, joined for one call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path

import msgspec
import structlog

from ccaas.acquaintance import Known
from ccaas.actions.runner import CallTools
from ccaas.call_memory import CallMemory, Track
from ccaas.config.settings import Destination
from ccaas.conversation.announcement import Question, speak
from ccaas.conversation.conversation import Conversation
from ccaas.conversation.escalation import Escalation
from ccaas.conversation.events import TurnRecord
from ccaas.conversation.overhearing import Side, listen
from ccaas.conversation.parts import Parts
from ccaas.handing import CallHanding
from ccaas.hooks import PluginHost
from ccaas.media.recording import Recording
from ccaas.media.tracks import Tracks
from ccaas.ports.journey import Customer, Json
from ccaas.ports.media import MediaStream
from ccaas.ports.queueing import Place
from ccaas.ports.reasoning import DialogueContext, Ending, Reasoner, Topic
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
        host: PluginHost,
        destinations: dict[str, Destination],
        recordings: Path | None,
        disk: Executor,
        memory: CallMemory,
        escalation: Escalation | None = None,
        handing: CallHanding | None = None,
    ) -> None:
        """`recordings`: the folder for this call's recording, None when calls are not recorded. `handing`: its way to a
        person, None where there are no queues."""
        self._call_id = call_id
        self._ani = ani
        self._dnis = dnis
        self._customer = customer
        self._reasoner = reasoner
        self._tools = tools
        self._parts = parts
        self._host = host
        self._destinations = destinations
        self._folder = recordings
        self._disk = disk
        self._memory = memory
        self._escalation = escalation or Escalation()
        self._handing = handing
        self._conversation: Conversation | None = None
        self._recording: Recording | None = None
        self._snapshot: Json | None = None
        self._turns: dict[str, TurnRecord] = {}

    def remember(self, snapshot: Json | None, turns: tuple[TurnRecord, ...]) -> None:
        """What an earlier controller had journalled of this call."""
        self._snapshot = snapshot
        self._turns = {turn.turn_id: turn for turn in turns}
        if self._handing is not None:
            self._handing.remember(turns)

    async def attend(self, stream: MediaStream, reason: str = "") -> Next:
        """Converse over `stream`; see `Attendant`."""
        settings = self._parts.settings
        conversation = await self._converse(stream, self._reasoner, self._save, self._escalation)
        self._conversation = conversation
        try:
            async with asyncio.timeout(settings.longest_call_s):
                # Without a reason it begins, though a machine may have been taken for the caller before.
                snapshot = self._snapshot if reason else None
                outcome = await conversation.run(snapshot, self._first_words(reason))
        except TimeoutError:
            _log.warning("call is too long and ends", call=self._call_id, limit_s=settings.longest_call_s)
            return HangUp()
        finally:
            self._conversation = None
        match outcome.ending:
            case Ending.HANG_UP:
                return HangUp()
            case Ending.TRANSFER:
                if self._handing is not None:
                    self._handing.why(self._escalation.why)
                return TransferTo(outcome.destination)
            case None:
                return AudioLost()

    async def _converse(
        self,
        stream: MediaStream,
        reasoner: Reasoner,
        save: Callable[[Json, Topic | None], None],
        escalation: Escalation | None,
    ) -> Conversation:
        known = await self._memory.begin(self)
        if self._handing is not None:
            self._handing.known = known
        return Conversation(
            self._call_id,
            stream,
            reasoner,
            self._context(known),
            self._parts,
            Tracks(self._record(stream)),
            self._publish,
            save,
            len(self._turns),
            escalation,
        )

    async def announce(self, stream: MediaStream, text: str, *, asks: bool) -> bool:
        """See `Attendant`. A question, and what was said to it, is a turn like any other."""
        if not asks:
            await speak(text, stream, self._parts)
            return False
        conversation = await self._converse(stream, Question(text), lambda _, __: None, None)
        return (await conversation.run(None, "")).ending is Ending.TRANSFER

    @property
    def overhears(self) -> bool:
        """See `Attendant`."""
        return self._handing is not None and self._handing.overhears

    async def overhear(self, stream: MediaStream, *, customer: bool) -> None:
        """See `Attendant`; it is in the recording too."""
        assert self._handing is not None  # it is not wanted otherwise
        self._handing.known = await self._memory.begin(self)
        handing, recording = self._handing, self._record(stream)
        side = Side(recording, self._parts.clock.now, customer=customer)

        def said(text: str, at: float) -> None:
            name, who = handing.overheard(text, customer=customer)
            self._memory.overheard(name, "customer" if customer else f"human:{who}", text, at, self._track())

        def drafted(text: str) -> None:
            handing.drafted(text, customer=customer)

        await listen(stream, self._parts, side.keep, said, drafted, handing.writing)

    async def overhear_waiting(self, stream: MediaStream) -> None:
        """See `Attendant`."""

    @property
    def overhears_waiting(self) -> bool:
        """See `Attendant`."""
        return False

    def place(self, name: str) -> Place | None:
        """See `Attendant`."""
        return self._handing.place(name) if self._handing is not None else None

    def kept_place(self) -> Place | None:
        """See `Attendant`."""
        return self._handing.kept_place() if self._handing is not None else None

    async def tell(self, text: str, channel: str) -> str | None:
        """See `presence.Listener`."""
        return await self._conversation.tell(text, channel) if self._conversation is not None else None

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
            outside = self._handing.telephone(name) if self._handing is not None else None
            if outside is None:
                return None
            return Target(outside.endpoint, outside.ring_s, outside.caller_id or self._ani or self._dnis, blind=False)
        return Target(destination.endpoint, destination.timeout_s, self._ani or self._dnis, destination.blind)

    async def leave(self) -> None:
        """See `Attendant`."""
        self._memory.leave()
        self._close_recording()

    async def finish(self, reason: EndReason, cause: int) -> None:
        """See `Attendant`: writes that still run are waited for, the recording is closed, the turns are written out."""
        self._escalation.close()
        if self._handing is not None:
            self._handing.left()
        await self._tools.settle()
        await self._memory.end(reason)
        self._close_recording()
        if self._folder is not None and self._turns:
            lines = b"".join(msgspec.json.encode(asdict(turn)) + b"\n" for turn in self._turns.values())
            await asyncio.get_running_loop().run_in_executor(self._disk, _write, self._turns_file(), lines)

    def _context(self, known: Known) -> DialogueContext:
        return DialogueContext(
            call_id=self._call_id,
            channel="voice",
            ani=self._ani,
            dnis=self._dnis,
            customer=self._customer,
            tools=self._tools,
            now=self._parts.clock.wall(),
            journey=known.context,
            assurance=known.assurance,
        )

    def _first_words(self, reason: str) -> str:
        settings = self._parts.settings
        if reason == "unanswered":
            return settings.unanswered
        if reason == "queue" and self._handing is not None:
            return self._handing.words()
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
        self._memory.turn(turn, self._track())
        self._host.turn_event(self._call_id, turn)

    def _track(self) -> Track | None:
        if self._recording is None:
            return None
        return Track(f"{self._recording.path.parent.name}/{self._recording.path.name}", self._recording.started_at)

    def _save(self, snapshot: Json, topic: Topic | None) -> None:
        self._snapshot = snapshot
        if self._handing is not None:
            self._handing.topic = topic
        self._memory.save(snapshot, topic)


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
