"""Pages of three kinds, read into sections: a heading with what stands under it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from selectolax.lexbor import LexborHTMLParser, LexborNode

from ccaas.errors import SetupError

SUFFIXES = (".md", ".markdown", ".html", ".htm", ".pdf")

_HEADING = re.compile(r"h[1-6]$")
_BLOCKS = frozenset({"p", "li", "td", "th", "dd", "dt", "blockquote", "pre", "figcaption", "caption", "summary"})
_IGNORED = "script,style,nav,header,footer,noscript,template,svg,form,button,[hidden],[aria-hidden=true]"


@dataclass(frozen=True, slots=True)
class Section:
    """One stretch of a page."""

    headings: tuple[str, ...]
    """From the page's title down to its own."""
    text: str
    """Paragraphs, one a line."""
    page: int = 0
    """Of a PDF, from 1."""


def read(path: Path) -> tuple[Section, ...]:
    """The sections of a page, those without text left out.

    Raises:
        SetupError: it cannot be read.
    """
    try:
        if path.suffix.lower() == ".pdf":
            found = list(_pdf(path))
        elif path.suffix.lower() in {".html", ".htm"}:
            found = list(_html(path.read_text("utf-8")))
        else:
            found = list(_markdown(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, PyPdfError, ValueError) as error:
        raise SetupError(f"{path}: this page cannot be read ({error}); mend it or take it out of the folder") from error
    return tuple(section for section in found if section.text)


class _Outline:
    """Collects paragraphs under the headings that stand above them."""

    def __init__(self) -> None:
        self._headings: list[tuple[int, str]] = []
        self._lines: list[str] = []

    def heading(self, level: int, text: str) -> Iterator[Section]:
        yield from self.end()
        self._headings = [(n, title) for n, title in self._headings if n < level]
        if plain := _plain(text):
            self._headings.append((level, plain))

    def line(self, text: str) -> None:
        if plain := _plain(text):
            self._lines.append(plain)

    def end(self) -> Iterator[Section]:
        if self._lines:
            yield Section(tuple(title for _, title in self._headings), "\n".join(self._lines))
        self._lines = []


def _plain(text: str) -> str:
    return " ".join(text.split())


def _markdown(text: str) -> Iterator[Section]:
    outline, tokens = _Outline(), MarkdownIt("commonmark").enable("table").parse(text)
    row: list[str] = []
    head: list[str] = []
    for n, token in enumerate(tokens):
        before = tokens[n - 1].type if n else ""
        if token.type == "inline" and before == "heading_open":
            yield from outline.heading(int(tokens[n - 1].tag[1]), _inline(token))
        elif token.type == "inline" and before in {"th_open", "td_open"}:
            (head if before == "th_open" else row).append(_inline(token))
        elif token.type == "inline":
            outline.line(_inline(token))
        elif token.type == "table_open":
            head = []
        elif token.type == "tr_close" and row:
            outline.line(_row(head, row))
            row = []
        elif token.type in {"fence", "code_block"}:
            outline.line(token.content)
    yield from outline.end()


def _inline(token: Token) -> str:
    return "".join(
        " " if child.type in {"softbreak", "hardbreak"} else child.content
        for child in token.children or ()
        if child.type in {"text", "code_inline", "softbreak", "hardbreak"}
    )


def _row(head: list[str], row: list[str]) -> str:
    """A table's row as a sentence: what a cell is stands in the table's head."""
    named = [f"{title}: {cell}" if title else cell for title, cell in zip(head, row, strict=False)]
    return ", ".join([*named, *row[len(head) :]]) + "."


def _html(text: str) -> Iterator[Section]:
    tree = LexborHTMLParser(text)
    for node in tree.css(_IGNORED):
        node.decompose()
    outline = _Outline()
    body = tree.body
    if body is not None:
        yield from _below(body, outline)
    yield from outline.end()


def _below(node: LexborNode, outline: _Outline) -> Iterator[Section]:
    for child in node.iter(include_text=True):
        tag = child.tag or ""
        if tag == "-text":
            outline.line(child.text())
        elif _HEADING.match(tag):
            yield from outline.heading(int(tag[1]), child.text(separator=" "))
        elif tag == "tr":
            outline.line(", ".join(_plain(cell.text(separator=" ")) for cell in child.css("td,th")) + ".")
        elif tag in _BLOCKS and not child.css(",".join(_BLOCKS - {tag}) + ",h1,h2,h3,h4,h5,h6,ul,ol,table"):
            outline.line(child.text(separator=""))
        else:
            yield from _below(child, outline)


_PARAGRAPH = re.compile(r"\n\s*\n")


def _pdf(path: Path) -> Iterator[Section]:
    """A page of a PDF is a section; its headings cannot be told from its text."""
    reader = PdfReader(path)
    title = _plain((reader.metadata.title if reader.metadata else "") or path.stem.replace("-", " ").replace("_", " "))
    for number, page in enumerate(reader.pages, 1):
        text = re.sub(r"(\w)-\n(\w)", r"\1\2", page.extract_text())
        lines = [_plain(part) for part in _PARAGRAPH.split(text)]
        yield Section((title,), "\n".join(line for line in lines if line), number)
