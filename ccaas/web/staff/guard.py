"""What stands before every route of the site: sessions, roles, where a request comes from, and headers."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import structlog
from aiohttp import web

from ccaas.errors import CcaasError
from ccaas.web.accounts.sessions import Session, Sessions
from ccaas.web.proxies import client_address
from ccaas.web.settings import DeskWeb
from ccaas.web.staff.routes import SESSION, Respond, Route, Routes

_log = structlog.get_logger(__name__)

CSRF_HEADER = "X-Ccaas-Csrf"
_SAFE = ("GET", "HEAD")


class Guard:
    """Wraps routes, and sets the headers of every answer."""

    def __init__(self, settings: DeskWeb, sessions: Sessions, routes: Routes) -> None:
        self._settings = settings
        self._sessions = sessions
        self._routes = routes
        self.secure = settings.tls is not None or (settings.address or "").startswith("https:")
        """Browsers reach the site by TLS."""

    @property
    def cookie(self) -> str:
        """The session cookie's name; the prefix makes browsers refuse one that was set without TLS."""
        return "__Host-ccaas" if self.secure else "ccaas"

    def headers(self) -> Mapping[str, str]:
        """For every answer."""
        connects = " ".join(["'self'", *self._routes.connects])
        headers = {
            "Content-Security-Policy": (
                f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {connects};"
                " media-src 'self' blob:; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none';"
                " frame-ancestors 'none'"
            ),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",  # without any, browsers name no origin where a form is sent
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "microphone=(self), autoplay=(self), camera=(), geolocation=()",
            "Cache-Control": "no-store",
        }
        if self.secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        return headers

    async def prepare(self, _: web.Request, response: web.StreamResponse) -> None:
        """Set the headers (a signal of aiohttp)."""
        for name, value in self.headers().items():
            response.headers.setdefault(name, value)
        response.headers.pop("Server", None)

    def wrap(self, route: Route) -> Respond:
        """The route, behind the guard."""

        async def respond(request: web.Request) -> web.StreamResponse:
            session = await self.session(request)
            if session is not None:
                request[SESSION] = session
            if route.role is not None:
                if session is None:
                    raise self._unknown(request)
                if not session.account.role.covers(route.role):
                    raise web.HTTPForbidden(text=f"this is for the role {route.role.value}\n")
            if request.method not in _SAFE and not route.foreign:
                self.own(request)
                self._csrf(request, session)
            return await route.respond(request)

        return respond

    async def session(self, request: web.Request) -> Session | None:
        """Who asks."""
        cookie = request.cookies.get(self.cookie)
        return await self._sessions.of(cookie) if cookie else None

    def own(self, request: web.Request) -> None:
        """Refuse what a page of another site asks. Every browser names the origin where something may change."""
        origin = request.headers.get("Origin", "").lower()
        if self._settings.address is not None:
            fits = origin == self._settings.address
        else:
            fits = bool(origin) and urlsplit(origin).netloc == request.host.lower()
        if not fits:
            raise web.HTTPForbidden(text="this request comes from another site\n")

    def address(self, request: web.Request) -> str:
        """Where the browser is; rate limits and the audit go by it, so only our own proxies are believed."""
        chain = ",".join(request.headers.getall("X-Forwarded-For", ()))
        proxies = self._settings.trusted_proxies if self._settings.address is not None else ()
        return client_address(request.remote, chain, proxies)

    def _csrf(self, request: web.Request, session: Session | None) -> None:
        if session is None:
            return
        given = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), session.csrf.encode()):
            raise web.HTTPForbidden(text=f"{CSRF_HEADER} is missing or wrong; load the page again\n")

    def _unknown(self, request: web.Request) -> web.HTTPException:
        page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if page:
            return web.HTTPSeeOther(f"/sign-in?next={quote(request.path_qs, safe='/')}")
        return web.HTTPUnauthorized(text="sign in first\n")


@web.middleware
async def answered(request: web.Request, handler: Respond) -> web.StreamResponse:
    """Every error is one line of plain text; a fault of ours tells nothing about us."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except CcaasError as error:
        return web.Response(status=409, text=f"{error}\n")
    except Exception:  # noqa: BLE001  (a page's fault is answered and logged, and nobody else feels it)
        _log.exception("the desk's site broke while it answered", path=request.path)
        return web.Response(status=500, text="something went wrong here\n")
