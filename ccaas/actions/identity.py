"""Who the conversation is with, as far as it was proved: decided here, by the core, never by a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ccaas.actions.audit import Outcome, ToolRun
from ccaas.errors import ToolError
from ccaas.ports.journey import Assurance
from ccaas.ports.tools import Tool

TOKEN, RULE = "token", "identity"
MOST_WRONG = 3
"""Wrong answers of one conversation; the last of them ends the checks."""


class Identity:
    """The customer of one conversation, and how sure it is that it is them.

    A caller id can be forged: it claims, and a tool that verifies proves. `earlier` are the runs that the journal has of
    a conversation which is picked up after a crash.
    """

    def __init__(
        self,
        customer_id: str,
        assurance: Assurance,
        tools: Mapping[str, Tool],
        earlier: Iterable[ToolRun],
        most_wrong: int = MOST_WRONG,
    ) -> None:
        self.customer_id = customer_id
        """Empty while nobody is known."""
        self.assurance = assurance
        self.tried = 0
        """Checks that came to an answer, right or wrong."""
        self.spent = False
        """Checks of this customer are refused, whatever was answered in this conversation."""
        self._most_wrong = most_wrong
        self._wrong = 0
        self._proofs = {TOKEN} if assurance is Assurance.VERIFIED else set[str]()
        for run in earlier:
            if run.key and run.tool in tools and tools[run.tool].verifies:
                self.tried += 1
                if run.outcome is Outcome.DONE:
                    self._proved(run.customer_id, run.tool)
                elif wrong(run):
                    self._wrong += 1

    def admit(self, tool: Tool) -> None:
        """Let the tool through, or refuse it.

        Raises:
            ToolError: "unverified" for a private tool, "locked" for a check after too many wrong answers, and for a private
                tool where no check is open any more.
        """
        if tool.private and self.assurance is not Assurance.VERIFIED:
            if self.spent:
                raise locked()
            raise ToolError("unverified", "I need to be sure who you are before I can do that.", rule=RULE)
        if tool.verifies and (self.spent or self._wrong >= self._most_wrong):
            raise locked()

    def answered(self, run: ToolRun) -> ToolRun:
        """Take what a check came to; the run as it is to be kept and told.

        Who proves to be somebody else than the address claims has proved nothing for this conversation: it began with
        the other one's name and history.
        """
        self.tried += 1
        if run.outcome is Outcome.DONE:
            proved = str((run.result or {}).get("customer_id", ""))
            if proved and proved == (self.customer_id or proved):
                self._proved(proved, run.tool)
                return replace(run, customer_id=proved)
            run = replace(
                run,
                outcome=Outcome.REFUSED,
                result=None,
                error="another_customer: That doesn't belong to the customer I have here.",
            )
        if wrong(run):
            self._wrong += 1
            if self._wrong >= self._most_wrong:
                return replace(run, error=f"{locked().code}: {locked()}")
        return run

    @property
    def factors(self) -> int:
        """How many different proofs there are: a signed token, and each tool that verified."""
        return len(self._proofs)

    @property
    def state(self) -> tuple[str, Assurance, frozenset[str]]:
        """What `restore` takes."""
        return self.customer_id, self.assurance, frozenset(self._proofs)

    def restore(self, state: tuple[str, Assurance, frozenset[str]]) -> None:
        """Be as sure as before: a proof could not be kept."""
        self.customer_id, self.assurance = state[:2]
        self._proofs = set(state[2])

    def claim(self, customer_id: str) -> None:
        """It is somebody else, of whom nothing is proved."""
        if customer_id != self.customer_id:
            self.customer_id, self.assurance = customer_id, Assurance.CLAIMED
            self._proofs.clear()

    def _proved(self, customer_id: str, by: str) -> None:
        self._proofs.add(by)
        self.customer_id = customer_id
        self.assurance = Assurance.VERIFIED


def wrong(run: ToolRun) -> bool:
    """Whether the answer was wrong: a system of record that cannot be reached says nothing about it."""
    return run.outcome is Outcome.REFUSED and not run.error.startswith("unavailable:")


def locked() -> ToolError:
    """The refusal of a check after too many wrong answers."""
    return ToolError("locked", "I couldn't verify that it's you.", rule=RULE)
