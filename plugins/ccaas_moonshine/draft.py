"""How an earlier text is reused to decode a later one faster. Pure functions over token ids.

A decoder makes one token a step, each step as dear as checking many. So a text that is probably right (an interim result
by the small model, or the last result for a shorter audio) is checked in one step; where the model disagrees, its own
token is taken, and what probably follows it is checked again (Leviathan et al. 2023, with a draft that costs nothing).
"""

from __future__ import annotations

from collections.abc import Sequence

REACH = 4
"""How far ahead in a draft a token is looked for after a disagreement (tokens)."""


def agreed(draft: Sequence[int], wanted: Sequence[int]) -> int:
    """How many leading tokens of the draft the model would have made itself. `wanted[i]` is what it makes before
    `draft[i]`."""
    for at, (drafted, token) in enumerate(zip(draft, wanted, strict=False)):
        if drafted != token:
            return at
    return min(len(draft), len(wanted))


def rest(draft: Sequence[int], at: int, token: int) -> tuple[int, ...]:
    """What probably follows `token`, which the model made instead of `draft[at]`: the draft from behind that same
    token if it comes soon, else the draft with one token replaced."""
    ahead = draft[at + 1 : at + 1 + REACH]
    if token in ahead:
        return tuple(draft[at + 2 + list(ahead).index(token) :])
    return tuple(draft[at + 1 :])
