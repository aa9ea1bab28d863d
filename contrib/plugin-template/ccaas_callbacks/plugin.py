"""Wiring: the tools "callbacks"."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel, Field

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.site import Site
from ccaas.ports.tools import Confirmation, Effect, Phase, Tool, ToolContext
from ccaas_callbacks.book import Book
from ccaas_callbacks.settings import CallbackSettings


class Nothing(BaseModel):
    """No arguments."""


class Waiting(BaseModel):
    """What the customer waits for."""

    reasons: list[str]


class Promise(BaseModel):
    """What is to be promised."""

    number: str = Field(description="Where to call, with the country code.", pattern=r"^\+[0-9]{6,15}$")
    reason: str = Field(description="What it is about, in a few words.", max_length=200)


class Promised(BaseModel):
    """What was promised."""

    place: int = Field(description="Which of the customer's call-backs it is, from 1.")


def tools_on(book: Book) -> tuple[Tool, ...]:
    """The two tools."""

    async def list_callbacks(_: Nothing, context: ToolContext) -> Waiting:
        return Waiting(reasons=await asyncio.to_thread(book.waiting, context.customer_id))

    async def promise_callback(wanted: Promise, context: ToolContext) -> Promised:
        promise = asyncio.to_thread(book.promise, context.key, context.customer_id, wanted.number, wanted.reason)
        return Promised(place=await promise)

    return (
        Tool(
            "list_callbacks",
            "Say which call-backs a customer waits for.",
            Nothing,
            Waiting,
            list_callbacks,
            Effect.READ,
        ),
        Tool(
            "promise_callback",
            "Promise the customer a call back.",
            Promise,
            Promised,
            promise_callback,
            Effect.WRITE,
            phase=Phase.TRANSACTIONAL,
            confirmation=Confirmation.SPOKEN,
        ),
    )


def make(settings: CallbackSettings, site: Site) -> tuple[Tool, ...]:
    """Open the book in the installation's state folder."""
    return tools_on(Book(site.state_dir / settings.database, settings.most))


@hookimpl
def ccaas_register_tools(register: Register[tuple[Tool, ...]]) -> None:
    """Offer the tools."""
    register("callbacks", make, CallbackSettings)
