"""The reading tool over the pages, for flows and models alike."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import structlog
from ccaas_flows.understanding.embedding import Embedding, MiniLm
from prometheus_client import Counter, Histogram
from pydantic import BaseModel, Field

from ccaas.errors import SetupError, ToolError
from ccaas.ports.site import Site
from ccaas.ports.tools import Effect, Tool, ToolContext
from ccaas_knowledge.index import Cache
from ccaas_knowledge.library import Library
from ccaas_knowledge.settings import KnowledgeSettings

_log = structlog.get_logger(__name__)

ASKED = Counter("ccaas_knowledge_questions_total", "Questions to the pages, by whether a passage answered.", ["found"])
SECONDS = Histogram(
    "ccaas_knowledge_seconds",
    "From a question to its passages.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
)


class Question(BaseModel):
    """What is looked up."""

    question: str = Field(min_length=1, max_length=1000, description="In the customer's words, as a whole sentence.")


class Cited(BaseModel):
    """A passage and where it stands."""

    text: str
    source: str
    score: float


class Found(BaseModel):
    """What the pages say. Where `found` is false, nothing in them answers: that is then the honest answer."""

    found: bool
    answer: str = Field(description="The sentences that fit best, word for word; empty when nothing was found.")
    source: str = Field(description="Where they stand.")
    passages: list[Cited]


class Desk:
    """Answers the tool's calls, one after the other in a thread."""

    def __init__(self, settings: KnowledgeSettings, library: Library) -> None:
        self._settings = settings
        self._library = library
        self._thread = ThreadPoolExecutor(1, "knowledge")

    async def start(self) -> None:
        """Read the pages. Raises SetupError."""
        count = await asyncio.get_running_loop().run_in_executor(self._thread, self._library.refresh)
        _log.info("pages are read", folder=self._settings.folder, passages=count)

    async def look_up(self, asked: Question, _: ToolContext) -> Found:
        """See `Found`. Raises ToolError "unavailable"."""
        loop = asyncio.get_running_loop()
        try:
            with SECONDS.time():
                hits = await loop.run_in_executor(
                    self._thread, self._library.ask, asked.question, self._settings.passages
                )
        except SetupError as error:
            _log.error("the pages cannot be read", error=str(error))
            raise ToolError("unavailable", "I can't look that up at the moment.") from error
        good = [hit for hit in hits if hit.score >= self._settings.threshold]
        ASKED.labels("yes" if good else "no").inc()
        if not good:
            return Found(found=False, answer="", source="", passages=[])
        return Found(
            found=True,
            answer=good[0].words(self._settings.answer_words),
            source=good[0].passage.source,
            passages=[
                Cited(text=hit.passage.text, source=hit.passage.source, score=round(hit.score, 3)) for hit in good
            ],
        )


async def knowledge_tools(
    settings: KnowledgeSettings, site: Site, embedding: Embedding | None = None
) -> tuple[Tool, ...]:
    """The tool, over pages that have been read.

    Raises:
        SetupError: the folder or a page cannot be read, or the model is missing.
    """
    model = embedding
    if model is None:
        model = await asyncio.to_thread(MiniLm, site.models_dir / settings.model, site.cache_dir)
    cache = Cache(site.cache_dir / "knowledge", settings.model, model)
    desk = Desk(settings, Library(site.path(settings.folder), cache, model))
    await desk.start()
    says = f"Look up {settings.about}; answers with passages and their sources, or that nothing is written about it."
    return (Tool(settings.tool, says, Question, Found, desk.look_up, Effect.READ),)
