"""One ccaas.yaml, read and checked: first step, before any plug-in is loaded. The second is `ccaas.config.picks`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ccaas.config.document import Document, raise_all
from ccaas.config.settings import CcaasSettings
from ccaas.contact.settings import BUTLER
from ccaas.errors import ConfigError
from ccaas.ports.site import Site
from ccaas.spelling import nearest


@dataclass(frozen=True, slots=True)
class Configuration:
    """An installation's settings and where they came from."""

    document: Document
    settings: CcaasSettings
    site: Site

    @property
    def file(self) -> Path:
        """The YAML file, absolute."""
        return self.document.file


def load(file: Path) -> Configuration:
    """Read and check a ccaas.yaml; what stands beside `use` is left for `picks`.

    Raises:
        ConfigError: with file, line, key and mend; a `ConfigErrors` where there are several.
    """
    document = Document.read(file.absolute())
    if document.root is None:
        raise document.error((), "the file is empty", "begin with a copy of examples/airline/ccaas.yaml")
    settings = document.validate(CcaasSettings)
    raise_all(_contradictions(document, settings))
    folder = document.file.parent
    state = (folder / settings.state).resolve()
    site = Site(
        config_dir=folder,
        state_dir=state,
        models_dir=(folder / settings.models).resolve(),
        cache_dir=(folder / settings.cache).resolve() if settings.cache else state / "cache",
    )
    return Configuration(document, settings, site)


def _contradictions(document: Document, settings: CcaasSettings) -> Iterator[ConfigError]:
    """What no single section can see."""
    takers: dict[str, str] = {}
    for name, entry in settings.entries.items():
        if entry.reasoner not in settings.reasoners:
            yield document.error(
                ("entries", name, "reasoner"),
                f"there is no reasoner {entry.reasoner}",
                nearest(entry.reasoner, settings.reasoners),
            )
        for index, number in enumerate(entry.numbers):
            if number in takers:
                yield document.error(
                    ("entries", name, "numbers", index),
                    f"{number} is taken by the entry {takers[number]}",
                    "leave it in one of the two",
                )
            takers[number] = name
    for name, channel in settings.channels.items():
        if channel.entry not in settings.entries:
            yield document.error(
                ("channels", name, "entry"),
                f"there is no entry {channel.entry}",
                nearest(channel.entry, settings.entries),
            )
    names: dict[str, int] = {}
    for place, rule in enumerate(settings.policy):
        if names.setdefault(rule.name, place) != place:
            yield document.error(("policy", place, "name"), f"two rules are called {rule.name}", "rename one of them")
        for index, entry_name in enumerate(rule.entries):
            if entry_name not in settings.entries:
                at = ("policy", place, "entries", index)
                yield document.error(at, f"there is no entry {entry_name}", nearest(entry_name, settings.entries))
    escalation = settings.sentiment.escalation if settings.sentiment is not None else None
    if escalation is not None:
        for key in ("destination", "human_destination"):
            name = getattr(escalation, key)
            ways = [*settings.queues, *settings.destinations]
            if name not in ways and (name or key == "destination"):
                yield document.error(
                    ("sentiment", "escalation", key), f"there is no destination {name}", nearest(name, ways)
                )
    for index, plugin in enumerate(settings.plugins):
        if plugin in settings.plugins[:index]:
            yield document.error(("plugins", index), f"{plugin} stands twice", "remove one of the two")
    yield from _campaigns(document, settings)
    yield from _queues(document, settings)
    yield from _browsers(document, settings)


def _campaigns(document: Document, settings: CcaasSettings) -> Iterator[ConfigError]:
    for name, campaign in settings.dialler.campaigns.items():
        at = ("dialler", "campaigns", name)
        if campaign.entry not in settings.entries:
            mend = nearest(campaign.entry, settings.entries)
            yield document.error((*at, "entry"), f"there is no entry {campaign.entry}", mend)
        if campaign.queue and campaign.queue not in settings.queues:
            mend = nearest(campaign.queue, settings.queues)
            yield document.error((*at, "queue"), f"there is no queue {campaign.queue}", mend)
        if campaign.endpoint is None and settings.outreach.voice is None:
            yield document.error(at, "nothing says how customers are called", "set `endpoint`, or outreach.voice")
        languages = ["en", *settings.dialler.answering.languages]
        if campaign.language not in languages:
            problem = f"dialler.answering.languages has no words in {campaign.language}"
            yield document.error((*at, "language"), problem, nearest(campaign.language, languages))
        if campaign.message and not campaign.listens:
            problem = "without `listens` nobody knows that a machine has answered"
            yield document.error((*at, "message"), problem, "set listens: true, or remove the message")
        outreach = settings.outreach
        if campaign.message and campaign.purpose in outreach.opt_out_for and not outreach.opt_out.voicemail:
            problem = f"messages for {campaign.purpose} must say how to get no more calls"
            mend = "set outreach.opt_out.voicemail, with a number to call"
            yield document.error((*at, "message"), problem, mend)


def _browsers(document: Document, settings: CcaasSettings) -> Iterator[ConfigError]:
    """What keeps telephones in browsers from working."""
    asterisk = settings.asterisk
    if settings.web.desk is not None and asterisk.mode == "managed" and not asterisk.sip.websocket:
        yield document.error(
            ("asterisk", "sip", "websocket"), "browsers cannot call without it", "set it to true, or remove web.desk"
        )
    phones = {phone.name for phone in asterisk.phones}
    for login, agent in settings.agents.items():
        if agent.needs_desktop and login in phones:
            yield document.error(
                ("agents", login),
                f"a phone of asterisk.phones is called {login} too, and the agent's browser is to be called so",
                f"set its endpoint to PJSIP/{login}, or rename one of the two",
            )


def _queues(document: Document, settings: CcaasSettings) -> Iterator[ConfigError]:
    queue_of_texts = settings.messaging.queue
    if queue_of_texts and queue_of_texts not in settings.queues:
        mend = nearest(queue_of_texts, settings.queues)
        yield document.error(("messaging", "queue"), f"there is no queue {queue_of_texts}", mend)
    ways = [*settings.queues, *settings.destinations, BUTLER]
    for name, queue in settings.queues.items():
        if name in settings.destinations:
            yield document.error(("queues", name), f"a destination is called {name} too", "rename one of the two")
        if name == BUTLER or name in settings.agents:
            yield document.error(("queues", name), f"{name} is the AI's name or an agent's login", "rename the queue")
        for key in ("closed", "nobody", "overflow"):
            way = getattr(queue, key)
            if way is not None and way.to not in ways:
                yield document.error(
                    ("queues", name, key, "to"), f"there is no queue or destination {way.to}", nearest(way.to, ways)
                )
        for skill in queue.skills:
            if settings.agents and not any(skill in agent.skills for agent in settings.agents.values()):
                known = sorted({known for agent in settings.agents.values() for known in agent.skills})
                yield document.error(
                    ("queues", name, "skills", skill), f"no agent has the skill {skill}", nearest(skill, known)
                )
