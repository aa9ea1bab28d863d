"""The desk and the board, added to the site where people work."""

from __future__ import annotations

from contextlib import AsyncExitStack

from ccaas.config.settings import CcaasSettings
from ccaas.ports.contact import ContactCentre
from ccaas.ports.journey import Journey
from ccaas.web.desktop.orders import Approvals
from ccaas.web.desktop.pages import DeskPages
from ccaas.web.staff.server import StaffSite


async def open_staff(
    staff: StaffSite,
    settings: CcaasSettings,
    centre: ContactCentre,
    journey: Journey,
    approvals: Approvals,
    stack: AsyncExitStack,
) -> None:
    """Add desk and board to `staff`, and start it; `stack` closes both. Raises SetupError, AccountError."""
    assert settings.web.desk is not None
    pages = DeskPages(
        staff,
        settings.web.desk,
        centre,
        journey,
        approvals,
        settings.destinations,
        numbers=settings.handoff.numbers is not None,
    )
    stack.push_async_callback(staff.close)
    await staff.start()
    pages.start()
    stack.push_async_callback(pages.close)
