"""Parts are made and started side by side; what is wrong with them is said as if there had been one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from ccaas.config.document import raise_all
from ccaas.errors import CcaasError, ConfigError

T = TypeVar("T")


async def side_by_side(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What each comes to, in their order. When one fails, the others are cancelled.

    Raises:
        CcaasError: all complaints about the YAML in one, or else the first error of ours; never inside a group.
    """
    failed: tuple[BaseException, ...] = ()
    tasks: list[asyncio.Task[T]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks += [group.create_task(work) for work in works]
    except BaseExceptionGroup as several:
        if not any(isinstance(error, CcaasError) for error in several.exceptions):
            raise
        failed = several.exceptions
    raise_all(error for error in failed if isinstance(error, ConfigError))
    for error in failed:
        if isinstance(error, CcaasError):
            raise error
    return [task.result() for task in tasks]
