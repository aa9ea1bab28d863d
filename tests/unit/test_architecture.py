"""Who may import whom, how long a module may be, what may be caught, and what no file may contain."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import entry_points, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
CORE = sorted((ROOT / "ccaas").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
TRACKED = [
    ROOT / name
    for name in subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    if (ROOT / name).is_file()
]
TEXT = [path for path in TRACKED if path.suffix not in (".wav", ".png", ".npz")]

FOR_PLUGINS = re.compile(
    r"ccaas\.(hookspecs|ports(\..+)?|errors|inference|spoken(\..+)?|testing(\..+)?|config\.document|declared|journal\.masking|spelling|web\.proxies|[a-z]+\.events)$"
)
"""What a plug-in may import of the core: the hooks, the ports and what stands on its own."""

BUILT_ON = dict.fromkeys(("ccaas_ivr", "ccaas_sentiment", "ccaas_llm", "ccaas_knowledge"), ("ccaas_flows",))
"""The menus hand callers who speak over to the flows, and so does a model that fails; moods and passages are found by the
vectors that the flows understand by."""

APART = ("telephony", "conversation", "actions", "journey", "contact")
"""Parts of the core that meet only where everything is joined."""


def imported(file: Path) -> Iterator[str]:
    """Full names of the modules that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            # `from ccaas import hookspecs` imports a module too
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "ccaas")


def of(folder: str) -> list[Path]:
    return [file for file in CORE if file.relative_to(ROOT).as_posix().startswith(f"ccaas/{folder}/")]


def named(files: list[Path]) -> list[str]:
    return [file.relative_to(ROOT).as_posix() for file in files]


@pytest.mark.parametrize("file", PLUGINS, ids=named(PLUGINS))
def test_plugins_know_the_hooks_and_the_ports_only(file: Path) -> None:
    own = file.relative_to(ROOT / "plugins").parts[0]
    for module in imported(file):
        top = module.partition(".")[0]
        assert top != "ccaas" or module == "ccaas" or FOR_PLUGINS.match(module), f"{module} is not for plug-ins"
        others = {own, *BUILT_ON.get(own, ())}
        assert not top.startswith("ccaas_") or top in others, f"{own} imports another plug-in: {module}"


@pytest.mark.parametrize("file", CORE, ids=named(CORE))
def test_the_core_knows_no_plugin(file: Path) -> None:
    assert [module for module in imported(file) if module.startswith("ccaas_")] == []


@pytest.mark.parametrize("part", APART)
def test_the_parts_of_the_core_do_not_know_each_other(part: str) -> None:
    """What happened (`events`) and what the YAML says (`settings`) may be known to all."""
    others = tuple(f"ccaas.{other}" for other in APART if other != part)
    for file in of(part):
        for module in imported(file):
            allowed = module.endswith((".events", ".settings"))
            assert allowed or not module.startswith(others), f"{file.name} imports {module}"


@pytest.mark.parametrize("part", [*APART, "media", "journal", "ports", "spoken", "config", "web"])
def test_only_the_adapter_knows_asterisk(part: str) -> None:
    for file in of(part):
        for module in imported(file):
            assert not module.startswith("ccaas.asterisk"), f"{part}/{file.name} imports {module}"


def test_ports_hold_no_knowledge_of_the_core() -> None:
    for file in of("ports"):
        for module in imported(file):
            allowed = not module.startswith("ccaas") or module.startswith("ccaas.ports") or module.endswith(".events")
            assert allowed, f"{file.name} imports {module}"


def test_what_runs_before_the_virtual_environment_needs_the_standard_library_alone() -> None:
    """The set-up step installs pip with it where there is none."""
    for file in [*of("debian"), ROOT / "ccaas/errors.py", ROOT / "ccaas/__init__.py"]:
        for module in imported(file):
            top = module.partition(".")[0]
            assert top in __import__("sys").stdlib_module_names or module.startswith(
                ("ccaas.debian", "ccaas.errors")
            ), f"{file.name} imports {module}"


def test_modules_stay_small() -> None:
    """Most under 150 lines, above 400 the module says why, none above 700; what is generated is not counted."""
    sizes = {}
    for file in [*CORE, *PLUGINS]:
        text = file.read_text()
        if "generated" not in text[:600].lower():
            sizes[file] = text.count("\n")
    too_long = {str(file): lines for file, lines in sizes.items() if lines > 700}
    assert too_long == {}
    unexplained = [
        str(file)
        for file, lines in sizes.items()
        if lines > 400 and "long because" not in (ast.get_docstring(ast.parse(file.read_text())) or "").lower()
    ]
    assert unexplained == [], "over 400 lines: split it, or say in its docstring that it is `long because …`"
    assert sorted(sizes.values())[len(sizes) // 2] < 150


MAY_CATCH_ALL = {"ccaas/hooks.py", "ccaas/telephony/supervisor.py"}
"""Where a plug-in's or a call's fault, whatever it is, is stopped."""


def test_no_two_test_modules_have_one_name() -> None:
    """pytest imports them by their names alone, and stops before the first test where two are the same."""
    names = [path.name for path in TRACKED if path.parts[len(ROOT.parts)] == "tests" and path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names))


def test_what_is_caught_is_named() -> None:
    broad = []
    for file in [*CORE, *PLUGINS]:
        name = file.relative_to(ROOT).as_posix()
        lines = file.read_text().splitlines()
        for node in ast.walk(ast.parse("\n".join(lines))):
            if not isinstance(node, ast.ExceptHandler) or name in MAY_CATCH_ALL:
                continue
            caught = (
                {item.id for item in ast.walk(node.type) if isinstance(item, ast.Name)}
                if node.type
                else {"BaseException"}
            )
            raises_again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            if caught & {"Exception", "BaseException"} and not raises_again and "BLE001" not in lines[node.lineno - 1]:
                broad.append(f"{name}:{node.lineno}")
    assert broad == []


HOSTS = re.compile(
    r"(pypi\.org|pythonhosted|npmjs\.(org|com)|registry\.npm|deb\.debian\.org|snapshot\.debian|security\.debian\.org|"
    r"ftp\.[a-z.]*debian\.org|huggingface\.co|artifactory|jfrog)",
    re.IGNORECASE,
)
MACHINE = re.compile(r"(?<![\w.])/(work|root)/(?!\*)|/home/\w+/")


@pytest.mark.parametrize(("what", "pattern"), [("a registry's host", HOSTS), ("a path of one machine", MACHINE)])
def test_no_file_names(what: str, pattern: re.Pattern[str]) -> None:
    here = Path(__file__)
    found = []
    for file in TEXT:
        if file != here:
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                if pattern.search(line):
                    found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == [], what


def test_no_work_is_left_for_later() -> None:
    later = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    found = [
        str(file)
        for file in TEXT
        if file.suffix in (".py", ".sh", ".conf") and file != Path(__file__) and later.search(file.read_text())
    ]
    assert found == []


def test_every_plugin_of_the_project_is_an_entry_point_and_in_the_wheel() -> None:
    points = {point.value.partition(".")[0] for point in entry_points(group="ccaas")}
    pyproject = (ROOT / "pyproject.toml").read_text()
    for folder in sorted({file.relative_to(ROOT / "plugins").parts[0] for file in PLUGINS}):
        assert folder in points, f"{folder} has no entry point"
        assert f'"plugins/{folder}"' in pyproject, f"{folder} is not in the wheel"


def declared() -> dict[str, set[str]]:
    """Names of the direct dependencies, by extra."""
    found: dict[str, set[str]] = {}
    for text in requires("ccaas") or ():
        requirement = Requirement(text)
        extra = re.search(r'extra == ["\'](\w+)', str(requirement.marker or ""))
        found.setdefault(extra.group(1) if extra else "", set()).add(canonicalize_name(requirement.name))
    return found


THROUGH = {
    "pydantic-core": "pydantic",
    "yarl": "aiohttp",
    "packaging": "pytest",
    "protobuf": "onnx",
    "mcp-types": "mcp",
}
"""Packages that are another one's public face."""


def test_what_is_imported_is_declared() -> None:
    """Production code needs nothing from the extras, but where a plug-in or the test kit says so."""
    dependencies, brought = declared(), packages_distributions()
    for file in [*CORE, *PLUGINS]:
        in_test_kit = "ccaas/testing/" in file.as_posix()
        for module in imported(file):
            top = module.partition(".")[0]
            for package in {canonicalize_name(name) for name in brought.get(top, ())} - {"ccaas"}:
                name = THROUGH.get(package, package)
                extras = {extra for extra, names in dependencies.items() if name in names}
                assert extras, f"{file.name} imports {top}, and no dependency brings it"
                assert "" in extras or in_test_kit or not extras <= {"dev", "test"}, (
                    f"{file.name} needs a test extra: {top}"
                )


def test_everything_that_is_installed_is_pinned() -> None:
    """Run tools/pin.py after adding a dependency."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in pins if not re.match(r"^[a-z0-9-]+==[^ ]+( ; .+)?$", line)] == []
    pinned = {line.partition("==")[0] for line in pins}
    wanted = {name for names in declared().values() for name in names}
    assert wanted - pinned == set()
