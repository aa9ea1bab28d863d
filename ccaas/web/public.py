"""HTTP for text channels, apart from the control server: it may be reached from outside, behind a proxy with TLS."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from aiohttp import web

from ccaas.config.settings import PublicWeb
from ccaas.errors import SetupError

_log = structlog.get_logger(__name__)

PREFIX = "/channels"
EVENTS = "/events"
_STOP_S = 2.0
"""How long open connections may take to end when it stops."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise: a channel that wants to be framed or shared sets its own."""

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PublicServer:
    """One aiohttp server. `start` listens; `close` stops."""

    def __init__(
        self,
        settings: PublicWeb,
        routes: Mapping[str, Sequence[web.RouteDef]],
        events: Mapping[str, Respond] | None = None,
    ) -> None:
        """`routes`: what each channel answers, by its name in the YAML; `events`: what takes events, by their senders' names."""
        self._events = dict(events or {})
        self._settings = settings
        self._routes = {name: tuple(found) for name, found in routes.items() if found}
        self._runner: web.AppRunner | None = None

    @property
    def wanted(self) -> bool:
        """Whether any channel has routes, or events may come."""
        return bool(self._routes or self._events)

    def url(self, channel: str, path: str) -> str:
        """Where something of a channel is reached on this machine, or from outside where it is bound to an address there."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._settings.bind, self._settings.bind)  # noqa: S104  (that is what is replaced)
        return f"http://{f'[{host}]' if ':' in host else host}:{self._settings.port}{PREFIX}/{channel}{path}"

    async def start(self) -> None:
        """Raises SetupError when the port is taken."""
        app = web.Application(middlewares=[_answered], client_max_size=self._settings.body_kb * 1024)
        app.on_response_prepare.append(_guard)
        for name, routes in self._routes.items():
            app.router.add_routes(
                web.RouteDef(route.method, f"{PREFIX}/{name}{route.path}", route.handler, route.kwargs)
                for route in routes
            )
        for name, respond in self._events.items():
            app.router.add_post(f"{EVENTS}/{name}", respond)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_STOP_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.bind, self._settings.port, reuse_address=True)
        try:
            await site.start()
        except OSError as error:
            await self.close()
            where = f"{self._settings.bind}:{self._settings.port}"
            raise SetupError(
                f"web.public.port: {where} cannot be used ({os.strerror(error.errno or 0)}); choose another port"
            ) from None
        _log.info("channels listen", bind=self._settings.bind, port=self._settings.port, channels=list(self._routes))

    async def close(self) -> None:
        """Stop listening. Safe to call twice."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()


async def _guard(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.pop("Server", None)


@web.middleware
async def _answered(request: web.Request, handler: Respond) -> web.StreamResponse:
    """Every error is one line of plain text, and a channel's fault tells nothing about us."""
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        return web.Response(status=413, text="the request is too big\n")
    except web.HTTPNotFound:
        return web.Response(status=404, text="there is nothing here\n")
    except web.HTTPException as answer:
        if answer.status >= 400 and answer.content_type == "text/plain":
            first = (answer.text or answer.reason).partition("\n")[0]
            headers = {
                name: value for name, value in answer.headers.items() if name not in ("Content-Type", "Content-Length")
            }
            return web.Response(status=answer.status, text=f"{first}\n", headers=headers)
        raise
    except Exception:  # noqa: BLE001  (a channel's fault is answered and logged, and nobody else feels it)
        _log.exception("a channel broke while it answered", path=request.path)
        return web.Response(status=500, text="something went wrong here\n")
