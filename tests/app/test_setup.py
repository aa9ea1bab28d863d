"""The set-up step and what it installs: idempotent, offline once done, and a wheel that holds everything it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OFFLINE = {"PIP_NO_INDEX": "1", "npm_config_offline": "true", "http_proxy": "http://127.0.0.1:1"}


def bootstrap(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", "tools/bootstrap.sh", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | OFFLINE, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("profile", ["run", "demo", "test"])
def test_a_machine_that_is_set_up_needs_nothing_more(profile: str) -> None:
    done = bootstrap(profile)
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("installing", "fetching", "downloading"):
        assert word not in done.stdout


def test_an_unknown_profile_is_one_sentence() -> None:
    done = bootstrap("everything")
    assert done.returncode == 1
    assert done.stderr == "setup: there is no profile everything; choose run, demo or test\n"


def test_a_failing_installation_says_what_and_the_mend(tmp_path: Path) -> None:
    """In a copy without its environment, and with no index to fetch from."""
    for name in ("tools", "ccaas", "pyproject.toml", "constraints.txt", "README.md"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    done = subprocess.run(
        ["sh", "tools/bootstrap.sh", "run"],
        cwd=tmp_path,
        env=os.environ | OFFLINE | {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "the Python packages could not be installed" in done.stderr.splitlines()[-1]
    assert "run make setup again" in done.stderr.splitlines()[-1]
    assert not list((tmp_path / ".cache/stamps").iterdir())


def test_the_wheel_holds_plugins_templates_and_types_and_no_tests(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(tmp_path), str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("ccaas-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in (
        "ccaas/py.typed",
        "ccaas/shipped/asterisk-conf/pjsip.conf",
        "ccaas/shipped/dialplans/offer.conf",
        "ccaas_flows/builtin.yaml",
        *(f"{folder.name}/plugin.py" for folder in (ROOT / "plugins").iterdir() if (folder / "plugin.py").is_file()),
    ):
        assert wanted in names, wanted
    assert [name for name in names if name.startswith(("tests/", "bench/"))] == []
