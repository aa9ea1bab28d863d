"""Accounts for rehearsals, made once, with passwords that are shown once."""

from __future__ import annotations

from collections.abc import Sequence

from ccaas.config.configuration import Configuration
from ccaas.ports.accounts import Role
from ccaas.web.accounts.book import AccountBook
from ccaas.web.accounts.passwords import generated

PEOPLE = (("anna", Role.AGENT), ("sam", Role.AGENT), ("supervisor", Role.SUPERVISOR))


def demo_accounts(configuration: Configuration) -> Sequence[str]:
    """Make them where the YAML wants them and nobody has an account; lines for the terminal. Raises AccountError."""
    desk = configuration.settings.web.desk
    if desk is None or not desk.demo_accounts:
        return ()
    book = AccountBook(configuration.site.state_dir)
    try:
        if book.listed():
            return ()
        lines = ["accounts for the desk (these passwords are shown this once; `ccaas user passwd` makes new ones):"]
        for login, role in PEOPLE:
            password = generated()
            book.add(login, role, password)
            lines.append(f"  {login:12} {password}   {role.value}")
    finally:
        book.close()
    scheme = "https" if desk.tls else "http"
    return [*lines, f"  {desk.address or f'{scheme}://{desk.bind}:{desk.port}'}/"]
