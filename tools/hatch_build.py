"""What the wheel carries of others: JsSIP, which the set-up step has fetched and checked. Nothing of it is committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FETCHED = ".cache/models/jssip"


class Carry(BuildHookInterface):  # type: ignore[type-arg]
    """Run by hatchling (`pyproject.toml`)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add it to a wheel; an editable installation finds it where the set-up step has put it."""
        if version == "editable":
            return
        folder = Path(self.root) / FETCHED
        for name in ("jssip.min.js", "LICENSE"):
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder / name} is not there; run `make setup` before building the wheel")
            build_data["force_include"][str(folder / name)] = f"ccaas/shipped/jssip/{name}"
