"""What the agent says while it checks who the customer is, as it may be kept: without the customer's answers."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date

from ccaas_flows.state import State
from ccaas_flows.templates import FILTERS, Wording, render
from ccaas_flows.understanding.slots import Slot

_SHORTEST = 3
"""Shorter values stand in sentences that have nothing to do with them."""


class Secrecy:
    """Knows the slots that are asked for in a check, and all the ways in which a sentence may put one."""

    def __init__(self, secrets: Collection[str], slots: Mapping[str, Slot], today: date, how: Wording) -> None:
        self._secrets = secrets
        self._slots = slots
        self._today = today
        self._how = how

    def kept(self, text: str, *states: State) -> str:
        """What of a sentence may be kept; empty when that is all of it. `states`: before and after the turn."""
        if not any(state.back for state in states):
            return ""
        kept = text
        for state in states:
            known = {name: value for name, value in state.slots.items() if name in self._secrets}
            for name in known:
                for template in (f"{{{name}}}", *(f"{{{name}|{filter_}}}" for filter_ in FILTERS)):
                    said = render(template, known, self._slots, self._today, self._how)
                    if len(said) >= _SHORTEST:
                        kept = re.sub(re.escape(said), "…", kept, flags=re.IGNORECASE)
        return "" if kept == text else kept
