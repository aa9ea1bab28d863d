"""Who works here: the port behind which passwords, or a company's own sign-in, stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Role(Enum):
    """What somebody may do; each may do what those before it may."""

    AGENT = "agent"
    """Takes conversations."""
    SUPERVISOR = "supervisor"
    """Sees the board and everybody's conversations, and takes part in them."""
    ADMIN = "admin"
    """Sees who did what."""

    def covers(self, other: Role) -> bool:
        """Whether who has this role may do what needs the other."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    login: str
    name: str
    """As others read it."""
    role: Role


class Accounts(Protocol):
    """Raises AccountError when the accounts cannot be read."""

    async def authenticate(self, login: str, password: str) -> Account | None:
        """Who it is; None for a wrong password, and for who is not there or may no longer sign in: nobody outside learns
        which of them it was, by the answer or by the time that it takes."""
        ...

    async def find(self, login: str) -> Account | None:
        """An account that may be used; None when there is none, or no longer."""
        ...
