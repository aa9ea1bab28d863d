"""The references in docs/ follow the code: every setting, command, figure, hook and dependency has its row or heading."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from ccaas.hooks import PluginHost
from ccaas.implementations import HOOKS, available

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import generate_docs  # noqa: E402  (it stands beside its own modules)


@pytest.mark.parametrize("file", generate_docs.PARTS, ids=lambda file: file.name)
def test_the_generated_parts_are_what_the_code_says(file: Path) -> None:
    assert generate_docs.renewed(file) == file.read_text(encoding="utf-8"), "run `make docs`"


def test_every_setting_of_the_core_says_what_it_means() -> None:
    rows = [line for line in generate_docs.settings().splitlines() if line.startswith("| `")]
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_setting_of_our_plugins_says_what_it_means() -> None:
    names = sorted(name for name, point in available().items() if point.dist and point.dist.name == "ccaas")
    undescribed = [
        f"{offer.plugin}.{name}"
        for offers in PluginHost.load(names).offers
        for offer in offers.values()
        for name, field in offer.settings.model_fields.items()
        if not field.description
    ]
    assert undescribed == []


def test_every_hook_has_a_heading() -> None:
    text = (ROOT / "docs/plugins.md").read_text()
    assert [hook for hook in HOOKS if f"\n### {hook}\n" not in text] == []


def test_a_section_within_a_list_or_a_map_has_its_own_table() -> None:
    class Seat(BaseModel):
        """One seat."""

        row: int = 1

    class Plane(BaseModel):
        """A plane."""

        seats: tuple[Seat, ...] = ()
        crew: dict[str, Seat] = {}
        pilot: Seat | None = None

    headings = [line for line in generate_docs._section("plane", Plane) if line.startswith("#")]
    assert headings == ["### plane", "### plane.seats[]", "### plane.crew.<name>", "### plane.pilot"]


def test_links_and_files_that_documents_name_are_there() -> None:

    broken = []
    for document in [
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "contrib").rglob("*.md")),
    ]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text()):
            if "://" not in target and not (document.parent / target).exists():
                broken.append(f"{document.name}: {target}")
        for named in re.findall(
            r"`((?:ccaas|plugins|bench|tests|tools|examples)/[\w/]+\.(?:py|sh|yaml))`", document.read_text()
        ):
            if not any((folder / named).exists() for folder in (ROOT, document.parent)):
                broken.append(f"{document.name}: {named}")
    assert broken == []
