"""One guard at a time; what a killed one left is ended, and nothing else."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from ccaas.errors import CcaasError
from ccaas.succession import MODULE, Succession


def test_a_second_guard_is_refused(tmp_path: Path) -> None:
    first, second = Succession(tmp_path), Succession(tmp_path)
    first.claim()
    with pytest.raises(CcaasError, match="another `ccaas up` keeps the installation"):
        second.claim()
    first.release()
    second.claim()
    second.release()
    second.release()


async def test_the_controller_of_a_killed_guard_is_ended(tmp_path: Path) -> None:
    left = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(flush=True); input()", MODULE, stdin=-1, stdout=asyncio.subprocess.PIPE
    )
    assert left.stdout is not None
    await left.stdout.readline()
    (tmp_path / "controller.pid").write_text(str(left.pid))
    ours = Succession(tmp_path)
    ours.claim()
    assert await ours.end_predecessor()
    assert await left.wait() != 0
    assert not await ours.end_predecessor()
    ours.release()


@pytest.mark.parametrize(
    "kept", ["", "no number", str(os.getpid()), "4194304"], ids=["empty", "no number", "ourselves", "nobody"]
)
async def test_nothing_else_is_ended(tmp_path: Path, kept: str) -> None:
    (tmp_path / "controller.pid").write_text(kept)
    ours = Succession(tmp_path)
    ours.claim()
    assert not await ours.end_predecessor()
    ours.release()


async def test_the_newest_controller_is_noted(tmp_path: Path) -> None:
    ours = Succession(tmp_path)
    ours.claim()
    ours.note(123456)
    ours.note(77)
    assert (tmp_path / "controller.pid").read_text() == "77"
    ours.release()
