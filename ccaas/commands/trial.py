"""`ccaas try` and `ccaas eval`: talk to the agent without telephones, and let scripted customers do so."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from ccaas.config.configuration import load
from ccaas.errors import CcaasError

if TYPE_CHECKING:
    from ccaas.trial.house import Caller, Talk
    from ccaas.trial.speaking import Speaking
    from ccaas.trial.verdict import Verdict

_YOU, _AGENT = "you   > ", "agent > "


def try_agent(
    file: Annotated[Path, typer.Argument(envvar="CCAAS_CONFIG", help="The installation's YAML file.")] = Path(
        "ccaas.yaml"
    ),
    caller: Annotated[str, typer.Option("--from", help="The number or address that you come from.")] = "",
    channel: Annotated[str, typer.Option(help="voice, chat, sms or email.")] = "voice",
    entry: Annotated[str, typer.Option(help="One of `entries`; left out, the one that takes --dial.")] = "",
    dial: Annotated[str, typer.Option(help="The number that you dial.")] = "1000",
    verified: Annotated[bool, typer.Option("--verified", help="As if a signed token proved who you are.")] = False,
    wav: Annotated[list[Path] | None, typer.Option(help="Speak this WAV file as a turn; may be given often.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write what the agent says to this WAV file.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Use the installation's own databases, not a copy.")] = False,
) -> None:
    """Talk to the agent in this terminal, without Asterisk; `/keys 12#` presses keys, an empty line ends it."""
    from ccaas.trial.house import Caller

    _logs_apart()
    who = Caller(caller, channel, entry, dial, verified)
    asyncio.run(_try(file, who, wav or [], out, keep))


def _logs_apart() -> None:
    """Warnings and worse, beside what is shown."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


async def _try(file: Path, caller: Caller, wavs: list[Path], out: Path | None, keep: bool) -> None:
    from ccaas.trial.house import House
    from ccaas.trial.speaking import Speaking

    configuration = load(file)
    async with AsyncExitStack() as stack:
        house = await House.open(configuration, stack)
        spoken = await Speaking.open(house, stack, listens=bool(wavs), speaks=out is not None) if wavs or out else None
        state = configuration.site.state_dir
        if not keep:
            state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ccaas-try-")))
        floor = await stack.enter_async_context(house.floor(state))
        talk = await stack.enter_async_context(floor.talk(caller))
        try:
            await _converse(talk, spoken, wavs)
        finally:
            if spoken is not None and out is not None:
                spoken.write(out)
        for run in talk.audit.runs:
            typer.echo(f"        {run.tool}: {run.outcome.value}{f' ({run.error})' if run.error else ''}")


async def _converse(talk: Talk, spoken: Speaking | None, wavs: list[Path]) -> None:
    said = await talk.open()
    left = list(wavs)
    while True:
        typer.echo(f"{_AGENT}{said.text}")
        if spoken is not None:
            await spoken.say(said.text)
        if said.ending is not None:
            typer.echo(f"        ({said.ending.value}{f' to {said.destination}' if said.destination else ''})")
            return
        keys = ""
        if left and spoken is not None:
            words = await spoken.hear(left.pop(0), talk.dialogue.expectation)
            typer.echo(f"{_YOU}{words}")
        elif wavs:
            return
        else:
            try:
                words = (await asyncio.to_thread(input, _YOU)).strip()
            except EOFError:
                return
            if not words:
                return
            if words.startswith("/keys "):
                words, keys = "", words.removeprefix("/keys ").strip()
        said = await talk.say(words, keys)


def evaluate(
    files: Annotated[list[Path], typer.Argument(help="Scenario files, or folders of them.")],
    only: Annotated[list[str] | None, typer.Option(help="The name of a scenario; may be given often.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Let scripted customers talk to the agent, each on fresh databases; fails when one was not served as it should be."""
    _logs_apart()
    verdicts = asyncio.run(_evaluate(files, only or [], as_json))
    failed = [one for one in verdicts if not one.passed]
    if as_json:
        rows = [asdict(one) | {"passed": one.passed} for one in verdicts]
        typer.echo(
            json.dumps({"passed": len(verdicts) - len(failed), "failed": len(failed), "scenarios": rows}, indent=1)
        )
    else:
        typer.echo(f"{len(verdicts) - len(failed)} passed, {len(failed)} failed")
    raise typer.Exit(1 if failed else 0)


async def _evaluate(files: list[Path], only: list[str], as_json: bool) -> list[Verdict]:
    from ccaas.trial.evaluation import evaluate as each
    from ccaas.trial.evaluation import read

    verdicts = []
    async for verdict in each(read(files), only):
        verdicts.append(verdict)
        if not as_json:
            _show(verdict)
    if not verdicts:
        raise CcaasError("there is nothing to run")
    return verdicts


def _show(verdict: Verdict) -> None:
    mark = "pass" if verdict.passed else "FAIL"
    typer.echo(f"{mark}  {verdict.name:36} {verdict.journey:24} {verdict.channel:6} {verdict.seconds:5.2f} s")
    if not verdict.passed:
        for fault in verdict.faults:
            typer.echo(f"      {fault}")
        for line in verdict.lines:
            typer.echo(f"      {line.who:8} {line.text}")
        typer.echo(f"      tools: {', '.join(verdict.tools)}")
