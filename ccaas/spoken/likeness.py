"""Which letters and digits a telephone makes alike."""

from __future__ import annotations

_GROUPS = tuple(
    frozenset(group)
    for group in (
        "BDPTEVGCZ3",
        "MN",
        "SFX",
        "AKJH8",
        "IY59",
        "QU2",
        "LR",
        "O0",
        "IJ1",
        "AEI",
        "WU",
        "79",
        "56",
        "LO0",
        "FS",
    )
)
"""Names that share their vowel, or all that 3.4 kHz leave of them."""
_CLOSEST = frozenset(
    frozenset((a, b))
    for a, others in {
        "B": "DVPE", "D": "ETVG", "P": "TE", "V": "E", "C": "ZT", "G": "T", "M": "N", "F": "S", "S": "X", "A": "KJ8", "J": "K", "8": "H",
        "I": "Y51", "5": "9Y", "Q": "U", "U": "2", "O": "0L", "7": "9",
    }.items()
    for b in others
)  # fmt: skip
"""Pairs that are taken for one another most often."""


def likeness(a: str, b: str) -> int:
    """How much two characters' names sound alike; 0: not at all, or they are the same."""
    if a == b:
        return 0
    return sum(a in group and b in group for group in _GROUPS) + 2 * (frozenset((a, b)) in _CLOSEST)
