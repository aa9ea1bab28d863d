"""The widget's script and the demo page."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import ccaas_webchat
import pytest
import yaml
from ccaas_webchat.pages import PARTS, widget_source
from ccaas_webchat.words import WORDS
from webchat_site import served

STATIC = Path(ccaas_webchat.__file__).parent / "static"
SOURCE = "".join((STATIC / part).read_text() for part in PARTS)


def test_the_script_is_small_and_whole() -> None:
    source = widget_source({})
    assert len(source.encode()) < 40_000
    assert "%WORDS%" not in source
    assert "%CSS%" not in source
    assert {file.name for file in STATIC.glob("*.js")} == set(PARTS)


@pytest.mark.parametrize(
    "unsafe", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser"]
)
def test_no_string_becomes_markup_or_code(unsafe: str) -> None:
    assert unsafe not in SOURCE


def test_every_text_is_used_and_every_used_one_is_there() -> None:
    named = set(re.findall(r'word\("(\w+)"', SOURCE))
    listed = set(re.findall(r'\d{4}: "(\w+)"', SOURCE)) | {"sending", "sent", "read", "agent", "you"}
    assert named | listed == set(WORDS)


def test_the_documentation_lists_every_text() -> None:
    text = (Path(__file__).parents[2] / "docs/channels.md").read_text()
    listed = text.partition("```yaml\nwords:\n")[2].partition("```")[0]
    assert yaml.safe_load(f"words:\n{listed}") == {"words": dict(WORDS)}


def test_texts_in_another_language_replace_the_english_ones() -> None:
    source = widget_source({"title": 'Frag "uns" </script>'})
    assert '"Frag \\"uns\\" </script>"' in source
    assert WORDS["title"] not in source


async def test_the_script_is_for_every_site_and_kept_by_browsers(tmp_path: Path) -> None:
    async with served(tmp_path) as server, aiohttp.ClientSession() as http:
        async with http.get(f"{server.url}/widget.js") as answer:
            assert answer.status == 200
            assert answer.content_type == "text/javascript"
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert await answer.text() == widget_source({})
            tag = answer.headers["ETag"]
        async with http.get(f"{server.url}/widget.js", headers={"If-None-Match": tag}) as answer:
            assert answer.status == 304
            assert await answer.read() == b""


async def test_the_demo_runs_nothing_but_the_widget(tmp_path: Path) -> None:
    async with served(tmp_path) as server, aiohttp.ClientSession() as http:
        async with http.get(f"{server.url}/demo") as answer:
            policy = answer.headers["Content-Security-Policy"]
            page = await answer.text()
        async with http.get(f"{server.url}/demo", headers={"Host": 'x"><script>alert(1)</script>'}) as answer:
            hostile = await answer.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert page.count("<script ") == 1
    assert f"&lt;script src=&quot;{server.url}/widget.js".replace("&quot;", '"') in page
    assert "<script>" not in hostile
