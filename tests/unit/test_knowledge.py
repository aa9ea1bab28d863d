"""Pages into sections, sections into passages, passages to questions; and an honest no when nothing answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ccaas_flows.understanding.embedding import MiniLm
from ccaas_knowledge.index import Cache
from ccaas_knowledge.library import Library
from ccaas_knowledge.pages import Section, read
from ccaas_knowledge.passages import cut
from ccaas_knowledge.settings import KnowledgeSettings
from ccaas_knowledge.tool import Found, Question, knowledge_tools

from ccaas.errors import SetupError, ToolError
from ccaas.ports.site import Site
from ccaas.ports.tools import Effect, Tool, ToolContext

ROOT = Path(__file__).parents[2]
MODELS = ROOT / ".cache" / "models"

MARKDOWN = """\
# Bags

Before all headings.

## Free bags

Each *member* may check
**two** [bags](x.html) for free.

- Skis count as a bag.
- So do golf clubs.

| Cabin | Bags |
|---|---|
| Economy | 1 |
| Business | 2 |

### Heavy bags
`Over` 23 kg they cost more.
"""

HTML = """<html><head><title>t</title><script>no()</script></head><body><nav>Home</nav>
<h1>Paying</h1>Loose words.<div><h2>Cards</h2><p>Credit &amp; <b>gift</b> cards.</p><ul><li>One <i>card</i></li><li>Two<ul><li>deep</li></ul></li></ul>
<table><tr><th>Fee</th><td>5 dollars</td></tr></table></div><footer>f</footer></body></html>"""


def pdf(lines: list[list[str]]) -> bytes:
    """A PDF with these lines on its pages (ISO 32000-1, 7.5: the smallest that readers take)."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(lines)} /Kids [{' '.join(f'{4 + 2 * n} 0 R' for n in range(len(lines)))}] >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, page in enumerate(lines):
        text = "BT /F1 12 Tf 14 TL 50 700 Td " + " ".join(f"({line}) Tj T*" for line in page) + " ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(f"<< /Length {len(text)} >>\nstream\n{text}\nendstream".encode())
    out, starts = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        starts.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{start:010} 00000 n \n".encode() for start in starts)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
    return bytes(out)


@pytest.fixture(scope="module")
def model() -> MiniLm:
    return MiniLm(MODELS / "minilm", ROOT / ".cache")


def test_markdown_becomes_sections(tmp_path: Path) -> None:
    page = tmp_path / "bags.md"
    page.write_text(MARKDOWN)
    assert read(page) == (
        Section(("Bags",), "Before all headings."),
        Section(
            ("Bags", "Free bags"),
            "Each member may check two bags for free.\nSkis count as a bag.\nSo do golf clubs.\n"
            "Cabin: Economy, Bags: 1.\nCabin: Business, Bags: 2.",
        ),
        Section(("Bags", "Free bags", "Heavy bags"), "Over 23 kg they cost more."),
    )


def test_html_becomes_sections_without_menus_and_scripts(tmp_path: Path) -> None:
    page = tmp_path / "pay.html"
    page.write_text(HTML)
    assert read(page) == (
        Section(("Paying",), "Loose words."),
        Section(("Paying", "Cards"), "Credit & gift cards.\nOne card\nTwo\ndeep\nFee, 5 dollars."),
    )


def test_a_pdf_becomes_a_section_for_each_page(tmp_path: Path) -> None:
    page = tmp_path / "lost-property.pdf"
    page.write_bytes(pdf([["Lost things are kept", "for thirty days."], ["Then they are sold."]]))
    found = read(page)
    assert [(section.headings, section.page) for section in found] == [(("lost property",), 1), (("lost property",), 2)]
    assert " ".join(found[0].text.split()) == "Lost things are kept for thirty days."
    assert cut("lost-property.pdf", found)[1].source == "lost-property.pdf › lost property › page 2"


@pytest.mark.parametrize(("name", "content"), [("x.pdf", b"no pdf"), ("x.md", b"\xff\xfe"), ("x.html", b"\xff\xfe")])
def test_a_page_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    page = tmp_path / name
    page.write_bytes(content)
    with pytest.raises(SetupError, match=name):
        read(page)


def test_a_long_section_is_cut_between_sentences() -> None:
    sentence = "This sentence has exactly eight words in it."
    passages = cut("a.md", [Section(("A",), "\n".join([sentence] * 30))])
    assert [len(passage.sentences) for passage in passages] == [11, 11, 8]
    assert {passage.source for passage in passages} == {"a.md › A"}


def library(folder: Path, cache: Path, model: MiniLm) -> tuple[Library, Cache]:
    kept = Cache(cache, "minilm", model)
    return Library(folder, kept, model), kept


def test_only_what_is_new_is_embedded_and_what_is_gone_is_not_found(tmp_path: Path, model: MiniLm) -> None:
    folder = tmp_path / "pages"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.md").write_text("# Dogs\nDogs travel in the hold.\n")
    (folder / "deep" / "b.md").write_text("# Skis\nSkis cost 20 dollars.\n")
    books, cache = library(folder, tmp_path / "cache", model)
    assert (books.refresh(), cache.made) == (2, 2)
    assert books.ask("what do skis cost", 1)[0].passage.source == "deep/b.md › Skis"
    (folder / "deep" / "b.md").write_text("# Skis\nSkis cost 30 dollars now.\n")
    (folder / "a.md").unlink()
    (folder / "c.html").write_text("<h1>Cats</h1><p>Cats sit with you.</p>")
    assert (books.refresh(), cache.made) == (2, 4)
    hit = books.ask("what do skis cost", 3)
    assert hit[0].passage.text == "Skis cost 30 dollars now."
    assert {one.passage.source for one in hit} == {"deep/b.md › Skis", "c.html › Cats"}
    again, later = library(folder, tmp_path / "cache", model)
    assert (again.refresh(), later.made) == (2, 0)


def test_a_damaged_cache_is_made_anew(tmp_path: Path, model: MiniLm) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.md").write_text("# Dogs\nDogs travel in the hold.\n")
    library(folder, tmp_path / "cache", model)[0].refresh()
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(file.read_bytes()[:200])
    books, cache = library(folder, tmp_path / "cache", model)
    assert (books.refresh(), cache.made) == (1, 1)


def test_the_answer_is_the_sentences_that_fit_not_the_whole_passage(tmp_path: Path, model: MiniLm) -> None:
    (tmp_path / "a.md").write_text(
        "# Paying\nYou can pay with a credit card. The office is green. A travel certificate cannot be used twice.\n"
    )
    hit = library(tmp_path, tmp_path / "cache", model)[0].ask("may I use my travel certificate twice", 1)[0]
    assert hit.words(40) == "A travel certificate cannot be used twice."


CONTEXT = ToolContext("call-1", "t1", "", "", datetime.now(UTC))


async def policies(tmp_path: Path, model: MiniLm, **settings: object) -> Tool:
    site = Site(ROOT / "examples/airline", tmp_path, MODELS, tmp_path / "cache")
    (tool,) = await knowledge_tools(KnowledgeSettings.model_validate({"folder": "policies", **settings}), site, model)
    return tool


async def ask(tool: Tool, question: str) -> Found:
    found = await tool.run(Question(question=question), CONTEXT)
    assert isinstance(found, Found)
    return found


@pytest.mark.parametrize(
    ("question", "source", "says"),
    [
        ("What do you charge for an extra bag?", "baggage.md › Bags › Extra bags", "50 dollars"),
        ("Can I add insurance after I booked?", "insurance.md › Travel insurance › When to buy it", "cannot be added"),
        ("How long does a refund take?", "cancellation.md › Cancelling a booking › How refunds are paid", "5 to 7"),
        ("How many gift cards can I use?", "payment.html › Paying › Combining cards and certificates", "three gift"),
    ],
)
async def test_the_airlines_rules_are_found_and_cited(
    tmp_path: Path, model: MiniLm, question: str, source: str, says: str
) -> None:
    found = await ask(await policies(tmp_path, model), question)
    assert (found.found, found.source) == (True, source)
    assert says in found.answer
    assert len(found.answer.split()) <= 40
    assert found.passages[0].source == source


@pytest.mark.parametrize("question", ["Can I bring my dog?", "Do you rent cars?", "What is two plus two?"])
async def test_what_no_page_answers_is_not_answered(tmp_path: Path, model: MiniLm, question: str) -> None:
    found = await ask(await policies(tmp_path, model), question)
    assert found == Found(found=False, answer="", source="", passages=[])


async def test_the_tool_only_reads_and_says_what_it_is_for(tmp_path: Path, model: MiniLm) -> None:
    tool = await policies(tmp_path, model, tool="rules", about="the airline's rules")
    assert (tool.name, tool.effect, tool.private) == ("rules", Effect.READ, False)
    assert "the airline's rules" in tool.description


async def test_a_folder_without_pages_is_told_at_the_start(tmp_path: Path, model: MiniLm) -> None:
    with pytest.raises(SetupError, match="no pages"):
        await policies(tmp_path, model, folder=str(tmp_path))


async def test_a_folder_that_goes_away_costs_the_answer_not_the_call(tmp_path: Path, model: MiniLm) -> None:
    (tmp_path / "pages").mkdir()
    page = tmp_path / "pages" / "a.md"
    page.write_text("# Dogs\nDogs travel in the hold.\n")
    tool = await policies(tmp_path, model, folder=str(tmp_path / "pages"))
    page.unlink()
    with pytest.raises(ToolError) as refused:
        await ask(tool, "Do dogs travel?")
    assert refused.value.code == "unavailable"


def test_questions_and_pages_of_the_set_belong_together() -> None:
    """Every section that the set names is there."""
    import yaml

    told: Mapping[str, Any] = yaml.safe_load((ROOT / "bench/llm_sets/policy.yaml").read_text())
    folder = ROOT / "examples/airline/policies"
    sources = {passage.source for page in folder.iterdir() for passage in cut(page.name, read(page))}
    questions = [*told["answered"], *told["fresh"]["answered"]]
    assert {source for question in questions for source in question["in"]} <= sources
