"""`ccaas agents`, `ccaas queues`, `ccaas reload`: the people and the queues of the running installation."""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

agents_app = typer.Typer(invoke_without_command=True, help="The people who take conversations, and what each does.")

File = Annotated[
    Path,
    typer.Option(
        "--file", "-f", envvar="CCAAS_CONFIG", help="The installation's YAML file.", show_default="ccaas.yaml"
    ),
]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Go on showing it, until Ctrl-C.")]
HERE = Path("ccaas.yaml")
_AGAIN_S = 1.0


class Settable(Enum):
    """What somebody can be set to."""

    AVAILABLE = "available"
    AWAY = "away"
    OFFLINE = "offline"


@agents_app.callback()
def agents(context: typer.Context, file: File = HERE, watch: Watch = False) -> None:
    """List the agents."""
    if context.invoked_subcommand is None:
        _show(file, agents_table, watch=watch)


@agents_app.command("set")
def set_state(
    login: Annotated[str, typer.Argument(help="Whose state.")],
    state: Annotated[Settable, typer.Argument(help="What they do from now on; who is on a call, after it.")],
    file: File = HERE,
    reason: Annotated[str, typer.Option(help="Why they are away.")] = "",
) -> None:
    """Set somebody available, away or offline; who has a phone and no desktop signs in this way."""
    told = _ask(file, "POST", f"/agents/{login}", {"state": state.value, "reason": reason})
    later = "" if told["state"] == state.value else f"; {state.value} after that"
    typer.echo(f"{login} is {told['state']}{later}")


def queues(file: File = HERE, watch: Watch = False) -> None:
    """List the queues, and who waits in them."""
    _show(file, queues_table, watch=watch)


def reload(file: File = HERE) -> None:
    """Read queues and agents of the YAML anew; no call is touched."""
    changed = _ask(file, "POST", "/reload")["changed"]
    typer.echo("\n".join(changed) if changed else "nothing has changed")


def agents_table(board: dict[str, Any]) -> RenderableType:
    """The agents of a board."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("login", "name", "state", "for", "reason", "queues", "call"):
        table.add_column(column, no_wrap=column != "queues", justify="right" if column == "for" else "left")
    for one in board["agents"]:
        lasts = _lasts(board["at"] - one["since"])
        where = ", ".join(one["queues"])
        table.add_row(one["login"], one["name"], one["state"], lasts, one["reason"], where, one["conversation_id"])
    return table if table.row_count else "no agents; the YAML's `agents` names them"


def queues_table(board: dict[str, Any]) -> RenderableType:
    """The queues of a board, and who waits."""
    from rich.console import Group
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in (
        "queue",
        "open",
        "waiting",
        "free agents",
        "expected wait",
        "answered",
        "abandoned",
        "service level",
    ):
        table.add_column(column, no_wrap=True, justify="left" if column in ("queue", "open") else "right")
    line = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("queue", "place", "waits", "customer", "priority", "rings at"):
        line.add_column(column, no_wrap=True)
    for one in board["queues"]:
        level = one["service_level"]
        table.add_row(
            one["name"],
            "yes" if one["open"] else "no",
            str(len(one["waiting"])),
            str(one["available"]),
            "not known" if one["expected_wait_s"] is None else _lasts(one["expected_wait_s"]),
            str(one["answered"]),
            str(one["abandoned"]),
            "" if level is None else f"{level:.0%}",
        )
        for who in one["waiting"]:
            where = who["ringing"] or ("to be called back" if who["callback"] else "")
            lasts = _lasts(board["at"] - who["since"])
            line.add_row(one["name"], str(who["position"]), lasts, who["customer"], f"{who['priority']:.1f}", where)
    if not table.row_count:
        return "no queues; the YAML's `queues` names them"
    return Group(table, "", line) if line.row_count else table


def _lasts(seconds: float) -> str:
    minutes, rest = divmod(max(round(seconds), 0), 60)
    return f"{minutes}:{rest:02d}"


def _show(file: Path, table: Any, *, watch: bool) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console()
    if not watch:
        console.print(table(_ask(file, "GET", "/board")))
        return
    with Live(table(_ask(file, "GET", "/board")), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(_AGAIN_S)
            live.update(table(_ask(file, "GET", "/board")), refresh=True)


def _ask(file: Path, method: str, path: str, body: object = None) -> Any:
    from ccaas.config.configuration import load
    from ccaas.remote import ask

    return ask(load(file), method, path, body)
