"""`ccaas user`: who may sign in at the desk."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ccaas.errors import AccountError
from ccaas.ports.accounts import Role

if TYPE_CHECKING:
    from ccaas.web.accounts.book import AccountBook

user_app = typer.Typer(no_args_is_help=True, help="Who may sign in at the desk, and what they did.")

File = Annotated[
    Path,
    typer.Option(
        "--file", "-f", envvar="CCAAS_CONFIG", help="The installation's YAML file.", show_default="ccaas.yaml"
    ),
]
HERE = Path("ccaas.yaml")
Login = Annotated[str, typer.Argument(help="Small letters, digits, dots and dashes.")]
FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password from the standard input.")]
Make = Annotated[bool, typer.Option("--generate", help="Make a password, and show it once.")]
COMMAND_LINE = "command line"


@user_app.command()
def add(
    login: Login,
    role: Annotated[Role, typer.Option(help="What they may do.")],
    file: File = HERE,
    name: Annotated[str, typer.Option(help="As others read it; left out, it is made of the login.")] = "",
    password_stdin: FromInput = False,
    generate: Make = False,
) -> None:
    """Let somebody sign in."""
    book = _book(file)
    account = book.add(login, role, _password(password_stdin, generate), name)
    book.note(COMMAND_LINE, "account made", login, role.value)
    typer.echo(f"{account.name} ({login}) may sign in as {role.value}")


@user_app.command("list")
def show(file: File = HERE) -> None:
    """List the accounts."""
    for listed in _book(file).listed():
        account = listed.account
        state = "disabled" if listed.disabled else f"signed in {listed.sessions}×" if listed.sessions else ""
        typer.echo(f"{account.login:20} {account.role.value:12} {account.name:24} {state}".rstrip())


@user_app.command()
def passwd(login: Login, file: File = HERE, password_stdin: FromInput = False, generate: Make = False) -> None:
    """Change a password; whoever used the old one is signed out."""
    book = _book(file)
    book.set_password(login, _password(password_stdin, generate))
    book.note(COMMAND_LINE, "password changed", login)
    typer.echo(f"{login} has a new password and is signed out everywhere")


@user_app.command()
def disable(login: Login, file: File = HERE) -> None:
    """Let somebody no longer sign in; they are signed out within seconds."""
    book = _book(file)
    book.set_disabled(login, True)
    book.note(COMMAND_LINE, "account disabled", login)
    typer.echo(f"{login} can no longer sign in")


@user_app.command()
def enable(login: Login, file: File = HERE) -> None:
    """Let somebody sign in again."""
    book = _book(file)
    book.set_disabled(login, False)
    book.note(COMMAND_LINE, "account enabled", login)
    typer.echo(f"{login} may sign in again")


@user_app.command()
def audit(
    file: File = HERE,
    login: Annotated[str, typer.Option(help="Of this login alone.")] = "",
    count: Annotated[int, typer.Option("-n", min=1, help="How many of the newest rows.")] = 100,
) -> None:
    """Show who did what at the desk, newest last."""
    for deed in reversed(_book(file).deeds(count, login)):
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(deed.at))
        typer.echo(f"{at}  {deed.login:16} {deed.what:20} {deed.about} {deed.detail} {deed.address}".rstrip())


def _book(file: Path) -> AccountBook:
    from ccaas.config.configuration import load
    from ccaas.web.accounts.book import AccountBook

    return AccountBook(load(file).site.state_dir)


def _password(from_input: bool, generate: bool) -> str:
    from ccaas.web.accounts.passwords import generated

    if from_input:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise AccountError("there is no password on the standard input; pipe one line into it")
        return password
    if not generate and sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    password = generated()
    typer.echo(f"password: {password}  (it is shown this once)")
    return password
