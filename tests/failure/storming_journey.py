"""Twenty writers that append as fast as they can, telling each fact that is stored. Run as a child: STORE FOLDER.

The password of a PostgreSQL is in the environment.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

from ccaas.journey.opening import open_journey
from ccaas.journey.settings import JourneySettings
from ccaas.ports.journey import Fact, FactKind, Journey, Profile
from ccaas.ports.site import Site

WRITERS = 20


def site_of(folder: Path) -> Site:
    return Site(config_dir=folder, state_dir=folder, models_dir=folder, cache_dir=folder)


async def write(journey: Journey, number: int) -> None:
    customer = await journey.register(Profile(f"customer-{number % 7}"))
    for count in itertools.count():
        kind = (FactKind.SAID, FactKind.CONTACTED, FactKind.PROMISED)[count % 3]
        id_ = f"{number}-{count}"
        await journey.append(Fact(id_, customer, float(count), kind, "voice", "x" * (count % 50), "customer"))
        os.write(1, f"{id_}\n".encode())


async def storm(store: str, folder: Path) -> None:
    journey = await open_journey(JourneySettings(store=store), site_of(folder))
    await asyncio.gather(*(write(journey, number) for number in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(storm(sys.argv[1], Path(sys.argv[2])))
