"""What everything that is installed may be used for, and in which process it lives; for docs/licences.md."""

from __future__ import annotations

from importlib.metadata import distribution, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ccaas.model_table import MODELS

ROOT = Path(__file__).parents[1]

BY_HAND = {
    "aiofastnet": "MIT",
    "picows": "MIT",
    "pjsua2-python": "GPL-2.0-or-later",
    "vosk": "Apache-2.0",
    "aiohappyeyeballs": "PSF-2.0",
    "axe-playwright-python": "MIT, with axe-core (MPL-2.0)",
}
"""Packages whose metadata does not say it, read in their own files."""

SPELLED = {
    "Apache 2.0": "Apache-2.0",
    "Apache 2 License": "Apache-2.0",
    "MIT License": "MIT",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "ISC License": "ISC",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "BSD License": "BSD-3-Clause",
    "Public-Domain": "public domain",
}

PROCESS = {
    "piper-tts": "voice process",
    "pathvalidate": "voice process",
    "pjsua2-python": "test caller's process",
    "vosk": "controller, only with the plug-in vosk",
    "soxr": "controller (a separate shared library)",
    "hatchling": "building",
    "editables": "building",
    "setuptools": "building",
    "wheel": "building",
}
"""Where a package lives when it is not simply the controller's or the tests'."""


def licence(name: str) -> str:
    """A package's licence as an SPDX expression where its metadata has one."""
    if name in BY_HAND:
        return BY_HAND[name]
    metadata = distribution(name).metadata
    short = [
        value for key in ("License-Expression", "License") for value in metadata.get_all(key) or [] if value.strip()
    ]
    classified = [c.rpartition(" :: ")[2] for c in metadata.get_all("Classifier") or [] if c.startswith("License")]
    stated = short[0].strip().partition("\n")[0] if short else " OR ".join(classified)
    if not stated:
        raise SystemExit(f"{name} does not say its licence; read it and add it to BY_HAND in {Path(__file__).name}")
    return SPELLED.get(stated, stated)


def needed(extra: str) -> set[str]:
    """Everything that `ccaas` needs, directly or not; with an extra, what that adds included."""
    seen: set[str] = set()
    waiting = [Requirement(text) for text in requires("ccaas") or ()]
    waiting = [r for r in waiting if r.marker is None or r.marker.evaluate({"extra": extra})]
    while waiting:
        name = canonicalize_name(waiting.pop().name)
        if name not in seen:
            seen.add(name)
            further = [Requirement(text) for text in distribution(name).requires or ()]
            waiting += [r for r in further if r.marker is None or r.marker.evaluate({"extra": ""})]
    return seen


def packages() -> str:
    """The table of Python packages."""
    always, tests = needed(""), needed("test")
    lines = ["| package | licence | for | process |", "|---|---|---|---|"]
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        name = line.partition("==")[0]
        if "==" in line:
            purpose = "running" if name in always else "tests, and Vosk" if name in tests else "development"
            process = PROCESS.get(name, "controller" if name in always else "tests")
            lines.append(f"| {name} | {licence(name)} | {purpose} | {process} |")
    return "\n".join(lines)


def models() -> str:
    """The table of model and data files."""
    lines = ["| folder | what | licence | fetched from |", "|---|---|---|---|"]
    for model in MODELS:
        sources = ", ".join(sorted({file.package.requirement for file in model.files}))
        lines.append(f"| {model.name} | {model.purpose} | {model.licence} | {sources} |")
    return "\n".join(lines)
