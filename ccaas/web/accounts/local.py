"""Accounts with passwords, as the port wants them."""

from __future__ import annotations

import asyncio

from ccaas.ports.accounts import Account
from ccaas.web.accounts.book import AccountBook

_AT_ONCE = 2
"""Passwords that are looked at at the same time: each takes 64 MB for some 50 ms."""


class LocalAccounts:
    """`Accounts` over the file of accounts."""

    def __init__(self, book: AccountBook) -> None:
        self._book = book
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def authenticate(self, login: str, password: str) -> Account | None:
        async with self._turn:
            return await asyncio.to_thread(self._book.authenticate, login, password)

    async def find(self, login: str) -> Account | None:
        return await asyncio.to_thread(self._book.find, login)
