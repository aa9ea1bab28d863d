"""The files of the widget: one script, made at start from its parts, and a page to try it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from importlib.resources import files

from aiohttp import web

from ccaas_webchat.words import WORDS

PARTS = ("words.js", "memory.js", "line.js", "panel.js", "connection.js", "chat.js")
"""In this order; each is plain JavaScript that sees what stands before it."""
EXAMPLE = "https://chat.example.com/channels/web/widget.js"
"""Stands in the demo for the widget's own address."""
_STATIC = files("ccaas_webchat") / "static"

DEMO_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""No inline script or style, nothing from elsewhere, and no string ever becomes markup."""


def widget_source(words: Mapping[str, str]) -> str:
    """The script for web pages; `words` replace the texts in English."""
    given = json.dumps({**WORDS, **words}, ensure_ascii=False)
    body = "\n".join(_read(part) for part in PARTS)
    body = body.replace('"%WORDS%"', given).replace('"%CSS%"', json.dumps(_read("panel.css"), ensure_ascii=False))
    return f'(() => {{\n"use strict";\n{body}\n}})();\n'


class Pages:
    """Answers `GET widget.js` and the demo."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._script = widget_source(words).encode()
        digest = hashlib.sha256(self._script).digest()
        self._etag = base64.urlsafe_b64encode(digest)[:22].decode()

    async def script(self, request: web.Request) -> web.StreamResponse:
        """The widget, for a page of any site."""
        # An embedding page may demand CORS and CORP (`crossorigin`, COEP); the script holds nothing secret.
        headers = {
            "Cache-Control": "public, max-age=300, must-revalidate",
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        response = web.Response(status=200, headers=headers)
        response.etag = self._etag
        if any(tag.value in (self._etag, "*") for tag in request.if_none_match or ()):
            response.set_status(304)
            return response
        response.content_type, response.charset = "text/javascript", "utf-8"
        response.body = self._script
        response.enable_compression()
        return response

    async def demo(self, request: web.Request) -> web.StreamResponse:
        """A page with the widget: what an admin copies."""
        here = request.url.with_query(None).parent / "widget.js"
        return _page(_read("demo.html").replace(EXAMPLE, html.escape(str(here))), "text/html")

    async def demo_style(self, _: web.Request) -> web.StreamResponse:
        """The demo's own style."""
        return _page(_read("demo.css"), "text/css")


def _page(text: str, kind: str) -> web.Response:
    headers = {
        "Content-Security-Policy": DEMO_CSP,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return web.Response(text=text, content_type=kind, charset="utf-8", headers=headers)


def _read(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")
