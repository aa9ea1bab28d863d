"""What the model takes: counted for Prometheus, and held against the limits of a turn and a conversation."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from ccaas_llm.client import Spent
from ccaas_llm.faults import ModelFault, Why
from ccaas_llm.settings import LlmSettings

REQUESTS = Counter("ccaas_llm_requests_total", "Requests to the model, by what became of them.", ["model", "result"])
TOKENS = Counter("ccaas_llm_tokens_total", "Tokens in prompts and answers.", ["model", "kind"])
COST = Counter("ccaas_llm_cost_total", "What the model cost, in the unit of the YAML's prices.", ["model"])
FALLBACKS = Counter("ccaas_llm_fallbacks_total", "Turns that the model did not answer, by why.", ["why"])
NEVER = Counter(
    "ccaas_llm_never_total", "Replies of the model that were stopped, by the rule that they broke.", ["rule"]
)
FIRST_CLAUSE = Histogram(
    "ccaas_llm_first_clause_seconds",
    "From the caller's words to the model's first clause.",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0),
)


@dataclass(slots=True)
class Bill:
    """What a conversation has taken so far."""

    tokens: int = 0
    cost: float = 0.0


class TurnMeter:
    """Of one turn."""

    def __init__(self, settings: LlmSettings, bill: Bill) -> None:
        """`bill`: the conversation's, which grows with it, also for drafts that are thrown away."""
        self._settings = settings
        self._bill = bill
        self._turn = Bill()

    def check(self) -> None:
        """Before a request. Raises ModelFault LIMIT."""
        limits = self._settings.limits
        for bill, tokens, cost in (
            (self._turn, limits.turn_tokens, limits.turn_cost),
            (self._bill, limits.call_tokens, limits.call_cost),
        ):
            if bill.tokens >= tokens or (cost is not None and bill.cost >= cost):
                raise ModelFault(Why.LIMIT, "the tokens or the money for this are used up")

    def add(self, spent: Spent) -> None:
        """After a request."""
        price = self._settings.prices.get(spent.model)
        cost = (spent.input * price.input + spent.output * price.output) / 1e6 if price else 0.0
        for bill in (self._turn, self._bill):
            bill.tokens += spent.input + spent.output
            bill.cost += cost
        TOKENS.labels(spent.model, "input").inc(spent.input)
        TOKENS.labels(spent.model, "output").inc(spent.output)
        COST.labels(spent.model).inc(cost)

    @property
    def turn(self) -> Bill:
        """What this turn has taken."""
        return self._turn


class Health:
    """Whether the server is worth asking: shared by all conversations."""

    def __init__(self, after: int, rest_s: float, now: Callable[[], float] = time.monotonic) -> None:
        """`after` failures in a row it rests for `rest_s`; then one request tries again."""
        self._after = after
        self._rest_s = rest_s
        self._now = now
        self._failed = 0
        self._until = 0.0

    def check(self) -> None:
        """Before a turn. Raises ModelFault RESTING."""
        now = self._now()
        if now < self._until:
            raise ModelFault(Why.RESTING, "the model is left alone for a while")
        if self._failed >= self._after:
            self._until = now + self._rest_s  # Who asks now tries it for all; the others wait for how that ends.

    def worked(self) -> None:
        """It answered."""
        self._failed, self._until = 0, 0.0

    def failed(self, why: Why) -> None:
        """It did not; what it said wrong says nothing about the server."""
        if why in {Why.SLOW, Why.STALLED, Why.BUSY, Why.DISCONNECTED, Why.REFUSED}:
            self._failed += 1
            if self._failed >= self._after:
                self._until = self._now() + self._rest_s
