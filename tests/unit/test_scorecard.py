"""Every figure of the scorecard against one that was computed by hand, and the rows behind it."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from click.testing import Result
from scorecard_world import SATURDAY, SUNDAY, ZONE, entries, write
from typer.testing import CliRunner

from ccaas import cli
from ccaas.journal.erasing import erase
from ccaas.journal.journal import Journal
from ccaas.ports.accounts import Role
from ccaas.ports.journey import Traces
from ccaas.scorecard.exporting import write_csv
from ccaas.scorecard.incidents import Attempt, Resolution, SqliteIncidents
from ccaas.scorecard.incidents.ledger import forget
from ccaas.scorecard.measures import MEASURES, By
from ccaas.scorecard.pages import ScorecardPages
from ccaas.scorecard.scorecard import Card, Row, Scorecard
from ccaas.scorecard.settings import ScorecardError, ScorecardSettings
from ccaas.web.staff.guard import answered
from ccaas.web.staff.routes import Routes


@pytest_asyncio.fixture
async def scorecard(tmp_path: Path) -> Scorecard:
    return await write(tmp_path)


def test_the_whole_span(scorecard: Scorecard) -> None:
    total = scorecard.card(SATURDAY, SUNDAY, By.DAY).total.figures
    assert total == {
        "interactions": 6,  # A to F
        "completed": 2,  # A and C
        "jcr": pytest.approx(2 / 6),
        "prr": pytest.approx(0.4),
        "value_ai": pytest.approx(100 / 5),  # A; of A, B, D, E, F
        "value_human": pytest.approx(40.0),  # C
        "contained": pytest.approx(5 / 6),
        "deflected": pytest.approx(4 / 6),  # B, D, E, F
        "service_level": pytest.approx(1 / 2),
        "abandoned": pytest.approx(1 / 2),
        "felt_first": pytest.approx((0.5 + 0.1 + 0.8 + 0.3) / 4),
        "felt_last": pytest.approx((-0.2 + 0.1 + 0.8 + 0.3) / 4),
        "latency_p95": pytest.approx(900),
    }
    assert set(total) == {measure.name for measure in MEASURES}


def test_by_day_a_day_is_the_business_s(scorecard: Scorecard) -> None:
    saturday, sunday = scorecard.card(SATURDAY, SUNDAY, By.DAY).rows
    assert (saturday.key, sunday.key) == ("2026-03-07", "2026-03-08")
    assert figures(saturday, "interactions", "jcr", "prr", "value_ai", "service_level") == [3, 2 / 3, 4 / 6, 50, 1]
    assert figures(sunday, "interactions", "jcr", "prr", "value_ai", "service_level") == [3, 0, 0, 0, 0]
    assert figures(sunday, "value_human", "felt_first", "latency_p95") == [None, 0.3, pytest.approx(700)]
    (monday,) = scorecard.card(date(2026, 3, 9), date(2026, 3, 9), By.DAY).rows
    assert figures(monday, "interactions", "prr") == [1, None]


def test_by_queue_and_by_intent(scorecard: Scorecard) -> None:
    service, none = scorecard.card(SATURDAY, SUNDAY, By.QUEUE).rows
    assert (service.key, none.key) == ("service", "")
    assert figures(service, "interactions", "completed", "service_level") == [2, 1, 1 / 2]
    assert figures(none, "interactions", "completed") == [4, 1]
    rows = {row.key: row for row in scorecard.card(SATURDAY, SUNDAY, By.INTENT).rows}
    assert figures(rows["flight_change"], "interactions", "jcr", "value_ai") == [2, 1 / 2, 50]
    assert figures(rows["refund"], "interactions", "jcr", "value_ai", "value_human") == [2, 1 / 2, 0, 40]
    assert figures(rows[""], "interactions", "deflected") == [1, 1]
    assert "service_level" not in rows["refund"].figures


@pytest.mark.parametrize(
    ("measure", "by", "key", "ids"),
    [
        ("jcr", By.DAY, None, ["C", "A"]),
        ("jcr", By.DAY, "2026-03-08", []),
        ("interactions", By.INTENT, "refund", ["D", "C"]),
        ("deflected", By.DAY, None, ["F", "E", "D", "B"]),
        ("value_human", By.QUEUE, "service", ["C"]),
        ("service_level", By.QUEUE, "service", ["C"]),
        ("abandoned", By.DAY, "2026-03-08", ["D"]),
        ("latency_p95", By.DAY, None, ["C"]),
        ("latency_p95", By.INTENT, "flight_change", ["A"]),
        ("felt_first", By.QUEUE, "", ["B", "A"]),
        ("prr", By.DAY, "2026-03-07", ["i0", "i1", "i2", "i3"]),
        ("prr", By.QUEUE, "service", []),
    ],
)
def test_every_figure_opens_what_it_counts(
    scorecard: Scorecard, measure: str, by: By, key: str | None, ids: list[str]
) -> None:
    found = [str(row["id"]) for row in scorecard.behind(measure, SATURDAY, SUNDAY, by, key)]
    assert (sorted(found) if measure == "prr" else found) == ids


def test_what_cannot_be_asked(scorecard: Scorecard, tmp_path: Path) -> None:
    for since, till, complaint in (
        (SUNDAY, SATURDAY, "before"),
        (date(2024, 1, 1), SUNDAY, "366 days"),
    ):
        with pytest.raises(ScorecardError, match=complaint):
            scorecard.card(since, till, By.DAY)
    with pytest.raises(ScorecardError, match="no measure nps"):
        scorecard.behind("nps", SATURDAY, SUNDAY, By.DAY, None)
    with pytest.raises(ScorecardError, match="no journal"):
        Scorecard(tmp_path / "nowhere", ZONE, ScorecardSettings()).card(SATURDAY, SUNDAY, By.DAY)


async def test_without_incidents_there_is_no_rate(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.sqlite")
    await journal.append(*entries())
    await journal.close()
    total = Scorecard(tmp_path, ZONE, ScorecardSettings()).card(SATURDAY, SUNDAY, By.DAY).total.figures
    assert total["prr"] is None
    assert total["value_ai"] == 0
    assert total["service_level"] == 1 / 2


async def test_what_is_kept_of_a_handoff_names_nobody_and_goes_with_its_call(scorecard: Scorecard) -> None:
    journal = scorecard.state_dir / "journal.sqlite"
    assert "Ann Other" not in str(rows(journal, "SELECT * FROM past_handoffs"))
    assert rows(journal, "SELECT * FROM handoffs") == []
    erase(journal, Traces((), conversations=("C",)))
    assert [row[0] for row in rows(journal, "SELECT call_id FROM past_handoffs")] == ["D"]


async def test_incidents_outlive_whose_they_were(tmp_path: Path, scorecard: Scorecard) -> None:
    file = tmp_path / "incidents.sqlite"
    ledger = await SqliteIncidents.start(file)
    forget(file, {"customer 3"})
    with pytest.raises(ScorecardError):
        await ledger.attempted(Attempt("x", "no such incident", "sms", 1.0, "sent"))
    await ledger.shut()
    with pytest.raises(ScorecardError, match="closed"):
        await ledger.close("i4", Resolution.RESOLVED, "x", 1.0)
    names = [row[0] for row in rows(file, "SELECT customer_id FROM incidents ORDER BY id")]
    assert names == ["customer 0", "customer 1", "customer 2", "", *(f"customer {n}" for n in range(4, 10))]
    assert scorecard.card(SATURDAY, SUNDAY, By.DAY).total.figures["prr"] == pytest.approx(0.4)


def figures(row: Row, *names: str) -> list[float | None]:
    return [row.figures.get(name) for name in names]


def rows(file: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as db:
        return db.execute(query).fetchall()


# — the command, and the site —

YAML = """\
name: Two days
timezone: America/New_York
plugins: [moonshine, turn, piper, flows]
speech:
  recognizer: {use: moonshine}
  voice: {use: silero}
  turn: {use: smart_turn}
  synthesizer: {use: piper}
reasoners: {one: {use: flows, file: flows.yaml}}
entries: {all: {numbers: ["*"], reasoner: one}}
queues: {service: {service_level: {seconds: 10}}}
scorecard: {values: {flight_change: 100.0}, default_value: 1.0}
state: .
"""


def command(folder: Path, *words: str) -> Result:
    file = folder / "ccaas.yaml"
    file.write_text(YAML)
    return CliRunner().invoke(cli.app, ["scorecard", str(file), "--from", "2026-03-07", "--to", "2026-03-08", *words])


def test_the_command(scorecard: Scorecard) -> None:
    lines = command(scorecard.state_dir, "--csv", "--by", "intent").output.splitlines()
    total = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert total["intent"] == "all"
    assert (total["jcr"], total["prr"], total["value_ai"], total["value_human"]) == ("0.333333", "0.4", "20", "1")
    assert total["service_level"] == "0"  # this YAML promises ten seconds, and it took twelve
    assert [line.partition(",")[0] for line in lines[2:]] == ["baggage", "flight_change", "refund", ""]
    shown = command(scorecard.state_dir).output
    assert "33.3%" in shown
    assert "Journey Completion Rate" in shown
    assert command(scorecard.state_dir, "--behind", "jcr").output.count("id=") == 2
    assert "write one such as" in CliRunner().invoke(cli.app, ["scorecard", "--from", "soon"]).output


def test_a_name_is_no_formula() -> None:
    out = io.StringIO()
    write_csv(Card(SATURDAY, SUNDAY, By.INTENT, Row("", {}), (Row("=1+1", {"jcr": 0.5}),)), out)
    assert out.getvalue().splitlines()[2].startswith("'=1+1,")


class Site:
    """The scorecard's routes without the guard that stands before them on the real site."""

    def __init__(self, scorecard: Scorecard) -> None:
        self.routes = Routes()
        ScorecardPages(scorecard).add_to(self.routes)
        app = web.Application(middlewares=[answered])
        for route in self.routes.routes:
            app.router.add_route(route.method, route.path, route.respond)
        self.app = app


async def test_the_site(scorecard: Scorecard) -> None:
    site = Site(scorecard)
    assert {route.role for route in site.routes.routes} == {Role.SUPERVISOR}
    async with TestClient(TestServer(site.app)) as client:
        span = {"from": "2026-03-07", "to": "2026-03-08"}
        told = await (await client.get("/scorecard.json", params={**span, "by": "queue"})).json()
        assert told["total"]["prr"] == pytest.approx(0.4)
        assert [row["key"] for row in told["rows"]] == ["service", ""]
        assert [one["name"] for one in told["measures"]] == [measure.name for measure in MEASURES]
        answer = await client.get("/scorecard.csv", params=span)
        assert "scorecard-2026-03-07-2026-03-08-by-day.csv" in answer.headers["Content-Disposition"]
        assert (await answer.text()).splitlines()[0].startswith("day,interactions,")
        asked = {**span, "by": "day", "measure": "jcr", "key": "2026-03-07"}
        rows = (await (await client.get("/scorecard/behind", params=asked)).json())["rows"]
        assert [row["id"] for row in rows] == ["C", "A"]
        for wrong in ({"from": "soon"}, {"by": "moon"}, {"from": "2026-03-09", "to": "2026-03-08"}):
            refused = await client.get("/scorecard.json", params=wrong)
            assert refused.status == 409
            assert (await refused.text()).count("\n") == 1
        assert (await client.get("/scorecard.json")).status == 200
