"""The measures: each one a name, a figure of SQL over the scorecard's tables, and the condition of the rows behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class By(Enum):
    """What a table's rows are."""

    DAY = "day"
    QUEUE = "queue"
    INTENT = "intent"


class Unit(Enum):
    """How a figure is written."""

    COUNT = "count"
    SHARE = "share"
    """0…1."""
    MONEY = "money"
    """In the currency of `scorecard.values`."""
    MS = "ms"
    SCORE = "score"
    """−1…+1."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One column."""

    name: str
    title: str
    meaning: str
    """One sentence for people."""
    unit: Unit
    source: str
    """"interactions", "latencies", "waits" or "incidents"."""
    figure: str
    """SQL over a group of the source's rows; NULL where there is nothing to say."""
    behind: str
    """SQL: which of the source's rows the figure counts."""


def _share(of: str, all_: str = "count(*)") -> str:
    return f"1.0 * coalesce(sum({of}), 0) / nullif({all_}, 0)"


_ANSWERED = "(answered_at > 0)"
_IN_TIME = f"({_ANSWERED} AND answered_at - since <= coalesce((SELECT seconds FROM promised WHERE promised.queue = waits.queue), 20))"
_OVER_OR_ANSWERED = f"({_ANSWERED} OR over > 0)"

MEASURES: tuple[Measure, ...] = (
    Measure(
        "interactions",
        "Conversations",
        "Calls and text conversations in which the customer said something, or spoke with a person.",
        Unit.COUNT,
        "interactions",
        "count(*)",
        "1",
    ),
    Measure(
        "completed",
        "Completed",
        "Those in which something was changed in a system of record, confirmed by it and not taken back.",
        Unit.COUNT,
        "interactions",
        "coalesce(sum(completed), 0)",
        "completed",
    ),
    Measure(
        "jcr",
        "Journey Completion Rate",
        "Completed ÷ conversations. An answer, a promise or a link completes nothing.",
        Unit.SHARE,
        "interactions",
        _share("completed"),
        "completed",
    ),
    Measure(
        "prr",
        "Proactive Resolution Rate",
        "Incidents that the AI resolved by a contact of ours, before the customer contacted us ÷ all incidents.",
        Unit.SHARE,
        "incidents",
        _share("proactive"),
        "proactive",
    ),
    Measure(
        "value_ai",
        "Value Density, AI",
        "Value of what the AI completed alone ÷ conversations that it had alone.",
        Unit.MONEY,
        "interactions",
        "sum(CASE WHEN NOT human THEN value END) / nullif(sum(NOT human), 0)",
        "NOT human",
    ),
    Measure(
        "value_human",
        "Value Density, human",
        "Value of what was completed with a person ÷ conversations with a person.",
        Unit.MONEY,
        "interactions",
        "sum(CASE WHEN human THEN value END) / nullif(sum(human), 0)",
        "human",
    ),
    Measure(
        "contained",
        "Contained",
        "Conversations that reached no person ÷ conversations. Shown apart: it is no success by itself.",
        Unit.SHARE,
        "interactions",
        _share("NOT human"),
        "NOT human",
    ),
    Measure(
        "deflected",
        "Deflected",
        "Conversations that reached no person and completed nothing ÷ conversations. Shown apart: the fewer, the better.",
        Unit.SHARE,
        "interactions",
        _share("NOT human AND NOT completed"),
        "NOT human AND NOT completed",
    ),
    Measure(
        "service_level",
        "Service level",
        "Callers answered by a person within their queue's seconds ÷ callers who were answered or gave up.",
        Unit.SHARE,
        "waits",
        _share(_IN_TIME, f"sum({_OVER_OR_ANSWERED})"),
        _IN_TIME,
    ),
    Measure(
        "abandoned",
        "Gave up waiting",
        "Callers who left a queue unanswered ÷ callers who were answered or gave up.",
        Unit.SHARE,
        "waits",
        _share(f"(NOT {_ANSWERED} AND over > 0)", f"sum({_OVER_OR_ANSWERED})"),
        f"NOT {_ANSWERED} AND over > 0",
    ),
    Measure(
        "felt_first",
        "Feeling, start",
        "How upset customers seemed with the first thing they said, on average: −1 pleased, +1 furious.",
        Unit.SCORE,
        "interactions",
        "avg(felt_first)",
        "felt_first IS NOT NULL",
    ),
    Measure(
        "felt_last",
        "Feeling, end",
        "The same with the last thing they said.",
        Unit.SCORE,
        "interactions",
        "avg(felt_last)",
        "felt_last IS NOT NULL",
    ),
    Measure(
        "latency_p95",
        "Answer after, p95",
        "19 of 20 answers of the AI in calls began within this time after the caller had finished.",
        Unit.MS,
        "latencies",
        "p95",
        "ms >= (SELECT p95 FROM slow)",
    ),
)

BY_NAME = {measure.name: measure for measure in MEASURES}
