"""Everything that a person needs so as not to ask again, made from facts alone: no model writes any of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ccaas.contact.best_action import next_best
from ccaas.contact.settings import HandoffSettings
from ccaas.conversation.events import TurnRecord
from ccaas.ports.contact import Bundle, Line, Proposal, Recap
from ccaas.ports.journey import Assurance, Customer, JourneyContext, ThreadState
from ccaas.ports.reasoning import Topic

_WHY = {
    "upset": "They are upset, and were promised a senior colleague.",
    "wish": "They asked for a person.",
    "transfer": "They were put through.",
    "callback": "They asked to be called back.",
    "message": "They wrote, and the AI cannot go on.",
    "incident": "Something has gone wrong on our side.",
}


@dataclass(frozen=True, slots=True)
class Tried:
    """A tool run of the conversation."""

    tool: str
    done: bool
    writes: bool
    arguments: Mapping[str, object] = field(default_factory=dict)
    said: str = ""
    """What was said against it, when it was not done."""
    only_human: bool = False
    """It was refused because a person has to decide."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A prepared request that a person can approve."""

    id: str
    tool: str
    arguments: Mapping[str, object]
    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the conversation at this moment."""

    conversation_id: str
    channel: str
    customer: Customer | None
    assurance: Assurance
    context: JourneyContext | None
    topic: Topic | None = None
    turns: tuple[tuple[float, TurnRecord], ...] = ()
    """With the Unix second of each."""
    tried: tuple[Tried, ...] = ()
    asked: tuple[Asked, ...] = ()
    overheard: tuple[Line, ...] = ()
    """What was said while they talked with a person."""


def bundle(facts: Facts, handoff: HandoffSettings, *, handoff_id: str, queue: str, why: str, waited_s: float) -> Bundle:
    """The whole of it."""
    curve = tuple((at, turn.sentiment) for at, turn in facts.turns if turn.sentiment is not None)
    slots: dict[str, str] = {}
    for _, turn in facts.turns:
        if not turn.retaken:
            slots |= turn.slots
    if facts.topic is not None:
        slots |= facts.topic.slots
    profile = facts.context.profile if facts.context is not None else None
    tier = (facts.customer.tier if facts.customer else "") or (profile.tier if profile else "")
    value = profile.lifetime_value_cents / 100 if profile is not None and profile.lifetime_value_cents else None
    return Bundle(
        handoff_id=handoff_id,
        conversation_id=facts.conversation_id,
        channel=facts.channel,
        queue=queue,
        why=why,
        customer=facts.customer,
        assurance=facts.assurance,
        context=facts.context,
        recap=recap(facts, why),
        transcript=tuple(sorted((*transcript(facts.turns), *facts.overheard), key=lambda line: line.at)),
        sentiment=curve,
        slots=slots,
        only_you=only_you(facts),
        next_best=next_best(
            handoff.next_best,
            intent=_intent(facts),
            tier=tier,
            value=value,
            upset=bool(curve) and curve[-1][1] >= handoff.upset_at,
        ),
        waited_s=waited_s,
    )


def recap(facts: Facts, why: str) -> Recap:
    """Exactly three bullets."""
    return Recap(_wants(facts), _tried(facts.tried), f"{_stands(facts)} {_WHY.get(why, _WHY['transfer'])}")


def transcript(turns: Iterable[tuple[float, TurnRecord]]) -> tuple[Line, ...]:
    """Who said what, in order; of the AI's words those that were heard."""
    lines: list[Line] = []
    for at, turn in turns:
        lines += said(at, turn)
    return tuple(lines)


def said(at: float, turn: TurnRecord) -> list[Line]:
    """The lines of one turn; none of one that was taken back."""
    if turn.retaken:
        return []
    lines = []
    words = turn.caller_text or (f"pressed {turn.keys}" if turn.keys else "")
    if words:
        parts = turn.mood.parts if turn.mood is not None else {}
        lines.append(Line(at, "customer", words, turn.turn_id, turn.sentiment, parts))
    if turn.heard_text:
        lines.append(Line(at, "butler", turn.heard_text, turn.turn_id))
    return lines


def only_you(facts: Facts) -> tuple[Proposal, ...]:
    """What waits for approval, and what the AI was refused because a person has to decide."""
    asked = {(one.tool, str(sorted(one.arguments.items()))) for one in facts.asked}
    proposals = [
        Proposal(f"ask-{one.id}", _title(one.tool, one.arguments), one.reason, one.tool, dict(one.arguments), one.id)
        for one in facts.asked
    ]
    for number, one in enumerate(facts.tried, 1):
        key = (one.tool, str(sorted(one.arguments.items())))
        if one.only_human and not one.done and key not in asked:
            asked.add(key)
            proposals.append(
                Proposal(f"only-{number}", _title(one.tool, one.arguments), one.said, one.tool, dict(one.arguments))
            )
    return tuple(proposals)


def _intent(facts: Facts) -> str:
    if facts.topic is not None:
        return facts.topic.goal
    return next((turn.intent for _, turn in reversed(facts.turns) if turn.intent), "")


def _wants(facts: Facts) -> str:
    topic = facts.topic
    if topic is not None:
        known = ", ".join(f"{_words(name)} {value}" for name, value in topic.slots.items())
        return f"It is about {topic.title}{f' ({known})' if known else ''}."
    words = next((turn.caller_text for _, turn in reversed(facts.turns) if turn.caller_text), "")
    if words:
        return f'Their last words: "{words}"'
    threads = facts.context.threads if facts.context is not None else ()
    return f"Nothing was said yet; still open is {threads[0].title}." if threads else "Nothing was said yet."


def _tried(runs: Iterable[Tried]) -> str:
    told: list[str] = []
    for one in runs:
        outcome = "done" if one.done else f"not done: {one.said.rstrip('.') or 'no answer'}"
        line = f"{_words(one.tool)} ({outcome})"
        if line not in told:
            told.append(line)
    return f"Tried: {'; '.join(told)}." if told else "Nothing was looked up or changed."


def _stands(facts: Facts) -> str:
    topic = facts.topic
    if topic is not None and topic.promise:
        return f"We owe: {topic.promise.rstrip('.')}."
    if topic is not None and topic.state is ThreadState.CLOSED:
        return topic.outcome or "It is finished."
    if topic is not None and topic.missing:
        return f"Still needed: {', '.join(_words(name) for name in topic.missing)}."
    made = [one.tool for one in facts.tried if one.done and one.writes]
    return f"Changed: {', '.join(_words(name) for name in made)}." if made else "Nothing has been changed."


def _title(tool: str, arguments: Mapping[str, object]) -> str:
    told = ", ".join(f"{_words(name)} {value}" for name, value in arguments.items())
    return f"{_words(tool).capitalize()}{f' ({told})' if told else ''}"


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def briefing(facts: Facts, why: str) -> str:
    """One sentence, whispered to the agent before the caller is there."""
    name = f"{facts.customer.first_name} {facts.customer.last_name}".strip() if facts.customer else ""
    who = name or "A caller whom we do not know"
    about = f", about {facts.topic.title}" if facts.topic is not None else ""
    mood = {"upset": ", and upset", "wish": ", who asked for a person"}.get(why, "")
    return f"{who}{about}{mood}."
