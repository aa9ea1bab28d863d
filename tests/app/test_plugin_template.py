"""The plug-in template as an outsider uses it: installed by pip, found by its entry point, loaded, and passing its tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LOAD = """
import asyncio
from pathlib import Path
from ccaas.hooks import PluginHost
from ccaas.ports.site import Site

host = PluginHost.load(["callbacks"])
offer = host.tools["callbacks"]
here = Path.cwd()
tools = offer.factory(offer.settings(most=1), Site(here, here, here, here))
print(offer.plugin, *(tool.name for tool in tools))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the template, and beside it the folder into which pip has installed it."""
    folder = tmp_path_factory.mktemp("outsider")
    shutil.copytree(ROOT / "contrib/plugin-template", folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*pip, "--target", str(folder / "site"), str(folder / "source")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def run(folder: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(folder / "site"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder / "source",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_listed(installed: Path) -> None:
    assert "ccaas_callbacks.plugin" in run(installed, "-m", "ccaas.cli", "plugins")


def test_it_is_loaded_through_its_entry_point(installed: Path) -> None:
    assert run(installed, "-c", LOAD).split() == ["callbacks", "list_callbacks", "promise_callback"]


def test_it_passes_its_conformance_suite(installed: Path) -> None:
    # its own copy of the package is the installed one, not the source beside the tests
    shutil.rmtree(installed / "source/ccaas_callbacks", ignore_errors=True)
    assert " passed" in run(installed, "-m", "pytest", "-q", "-p", "no:cacheprovider")
