"""The whole ccaas.yaml: what is accepted, and what is told about what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from ccaas.config.configuration import load
from ccaas.config.picks import load_plugins, pick
from ccaas.errors import ConfigError, PluginError
from ccaas.hooks import PluginHost
from ccaas.hookspecs import hookimpl
from ccaas.ports.tools import Phase

GOOD = """\
name: Demo
timezone: America/New_York
state: state
plugins: []
speech:
  recognizer: {use: ears}
  voice: {use: vad}
  turn: {use: turn}
  synthesizer: {use: voice, speaker: "7"}
reasoners:
  assistant: {use: script}
entries:
  front: {numbers: ["1000", "+15550100"], reasoner: assistant}
  rest: {numbers: ["*"], reasoner: assistant}
"""


class Nothing(BaseModel):
    """No settings."""


class Voice(BaseModel):
    speaker: str = ""


class Parts:
    """A plug-in that offers one of each."""

    @hookimpl
    def ccaas_register_recognizers(self, register):
        register("ears", lambda settings, site: "ears", Nothing)

    @hookimpl
    def ccaas_register_voice_detectors(self, register):
        register("vad", lambda settings, site: "vad", Nothing)

    @hookimpl
    def ccaas_register_turn_detectors(self, register):
        register("turn", lambda settings, site: "turn", Nothing)

    @hookimpl
    def ccaas_register_synthesizers(self, register):
        register("voice", lambda settings, site: f"voice {settings.speaker} in {site.state_dir.name}", Voice)

    @hookimpl
    def ccaas_register_reasoners(self, register):
        register("script", lambda settings, site: 1 / 0, Nothing)

    @hookimpl
    def ccaas_register_tools(self, register):
        async def open_tools(settings, site):
            return ()

        register("desk", open_tools, Nothing)

    @hookimpl
    def ccaas_register_channels(self, register):
        register("post", lambda settings, site: f"post by {settings.speaker}", Voice)

    @hookimpl
    def ccaas_register_sentiment(self, register):
        register("moods", lambda settings, site: f"moods of {settings.speaker}", Voice)


def written(tmp_path: Path, text: str = GOOD) -> Path:
    file = tmp_path / "ccaas.yaml"
    file.write_text(text)
    return file


def complaints(tmp_path: Path, old: str, new: str) -> list[str]:
    assert old in GOOD
    file = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        pick(load(file), PluginHost.of({"parts": Parts()}))
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


def test_paths_start_at_the_file(tmp_path: Path) -> None:
    configuration = load(written(tmp_path))
    assert configuration.site.config_dir == tmp_path
    assert configuration.site.state_dir == tmp_path / "state"
    assert configuration.site.cache_dir == tmp_path / "state/cache"
    assert configuration.site.models_dir == tmp_path / ".cache/models"


def test_a_number_goes_to_its_entry_and_the_rest_to_the_star(tmp_path: Path) -> None:
    settings = load(written(tmp_path)).settings
    assert [settings.entry_for(number) for number in ("1000", "+15550100", "77")] == ["front", "front", "rest"]
    without = load(written(tmp_path, GOOD.replace('"*"', '"2000"'))).settings
    assert without.entry_for("77") is None


def test_the_phase_is_read_only_unless_the_file_says_more(tmp_path: Path) -> None:
    assert load(written(tmp_path)).settings.allowed_phase is Phase.INFORMATIONAL
    assert load(written(tmp_path, GOOD + "phase: transactional\n")).settings.allowed_phase is Phase.TRANSACTIONAL


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ('"+15550100"', "+15550100", "ccaas.yaml:13: entries.front.numbers[1]: YAML reads +15550100 without quotes as a "
         'number, not as text; put it in quotes: "+15550100"'),
        ("reasoner: assistant}\n  rest", "reasoner: asistant}\n  rest",
         'ccaas.yaml:13: entries.front.reasoner: there is no reasoner asistant; did you mean "assistant"?'),
        ('["*"]', '["1000"]', "ccaas.yaml:14: entries.rest.numbers[0]: 1000 is taken by the entry front; leave it in one of the two"),
        ("America/New_York", "America/Gotham",
         "ccaas.yaml:2: timezone: there is no time zone America/Gotham; write one such as America/New_York"),
        ("plugins: []", "plugins: [a, a]", "ccaas.yaml:4: plugins[1]: a stands twice; remove one of the two"),
        ("state: state", "limits: {calls: yes}", "ccaas.yaml:3: limits.calls: yes is not a valid integer; write a whole number"),
        ("state: state", "log: {level: loud}", "ccaas.yaml:3: log.level: loud is not one of the choices; "
         "write 'debug', 'info', 'warning' or 'error'"),
        ("state: state", "conversation: {budgets: {yes_no: {complete: 1}}}",
         'ccaas.yaml:3: conversation.budgets.yes_no.complete: there is no such key; did you mean "complete_ms"?'),
        ("state: state", "destinations: {desk: {endpoint: 'PJSIP/1,tT'}}",
         r"ccaas.yaml:3: destinations.desk.endpoint: PJSIP/1,tT does not have the form of this setting; "
         r"write it to match ^[A-Za-z0-9]+/[^\s,;&|]+$"),
        ("use: ears", "use: eras", 'ccaas.yaml:6: speech.recognizer.use: no loaded plug-in offers a recognizer called eras; '
         'did you mean "ears"?'),
        ("use: ears", "engine: x", "ccaas.yaml:6: speech.recognizer.use: this key is missing; add `use: …`"),
        ('speaker: "7"', "speaker: 7", "ccaas.yaml:9: speech.synthesizer.speaker: YAML reads 7 without quotes as a number, "
         'not as text; put it in quotes: "7"'),
        ("state: state", "channels: {web: {use: post, entry: frnt}}",
         'ccaas.yaml:3: channels.web.entry: there is no entry frnt; did you mean "front"?'),
        ("state: state", "channels: {web: {use: pots, entry: front}}",
         'ccaas.yaml:3: channels.web.use: no loaded plug-in offers a channel called pots; did you mean "post"?'),
        ("state: state", "channels: {web: {use: post, entry: front, speeker: x}}",
         'ccaas.yaml:3: channels.web.speeker: there is no such key; did you mean "speaker"?'),
        ("state: state", "channels: {web: {use: post}}", "ccaas.yaml:3: channels.web.entry: this key is missing; add `entry: …`"),
        ("state: state", "sentiment: {use: moods, escalation: {destination: desk}}\ndestinations: {desks: {endpoint: PJSIP/1}}",
         'ccaas.yaml:3: sentiment.escalation.destination: there is no destination desk; did you mean "desks"?'),
        ("state: state", "sentiment: {use: mood}", 'ccaas.yaml:3: sentiment.use: no loaded plug-in offers a sentiment called mood; '
         'did you mean "moods"?'),
        ("state: state", "redaction: {use: pii}", "ccaas.yaml:3: redaction.use: no loaded plug-in offers a redactor called pii; "
         "add the plug-in that brings it to `plugins`"),
        ("state: state", "sentiment: {use: moods, speeker: x}",
         'ccaas.yaml:3: sentiment.speeker: there is no such key; did you mean "speaker"?'),
        ("state: state", "web: {desk: {}}\nasterisk: {sip: {websocket: false}}",
         "ccaas.yaml:4: asterisk.sip.websocket: browsers cannot call without it; set it to true, or remove web.desk"),
        ("state: state", "agents: {ann: {name: Ann}}\nasterisk: {phones: [{name: ann}]}",
         "ccaas.yaml:3: agents.ann: a phone of asterisk.phones is called ann too, and the agent's browser is to be called so; "
         "set its endpoint to PJSIP/ann, or rename one of the two"),
        ("speaker:", "speker:", 'ccaas.yaml:9: speech.synthesizer.speker: there is no such key; did you mean "speaker"?'),
    ],
)  # fmt: skip
def test_each_mistake_is_one_line(tmp_path: Path, old: str, new: str, wanted: str) -> None:
    assert complaints(tmp_path, old, new) == [wanted]


def test_mistakes_beside_several_uses_are_all_told(tmp_path: Path) -> None:
    lines = complaints(tmp_path, "use: ears}\n  voice: {use: vad}", "use: eras}\n  voice: {use: vad, loud: 1}")
    assert [line.split(": ")[1] for line in lines] == ["speech.recognizer.use", "speech.voice.loud"]


async def test_picks_make_what_was_picked(tmp_path: Path) -> None:
    configuration = load(written(tmp_path, GOOD + "tools: [{use: desk}]\n"))
    picks = pick(configuration, PluginHost.of({"parts": Parts()}))
    assert await picks.synthesizer.make(configuration.site) == "voice 7 in state"
    assert await picks.tools[0].make(configuration.site) == ()
    assert picks.fallback_synthesizer is None
    with pytest.raises(PluginError, match=r'"parts" could not make reasoners\.assistant \(script\): ZeroDivisionError'):
        await picks.reasoners["assistant"].make(configuration.site)


async def test_a_channel_is_picked_with_its_entry_and_its_own_settings(tmp_path: Path) -> None:
    configuration = load(written(tmp_path, GOOD + "channels: {web: {use: post, entry: front, speaker: Ann}}\n"))
    picks = pick(configuration, PluginHost.of({"parts": Parts()}))
    assert await picks.channels["web"].make(configuration.site) == "post by Ann"
    assert configuration.settings.channels["web"].entry == "front"


async def test_a_sentiment_is_picked_beside_what_is_done_about_it(tmp_path: Path) -> None:
    assert pick(load(written(tmp_path)), PluginHost.of({"parts": Parts()})).sentiment is None
    more = "sentiment: {use: moods, speaker: Ann, escalation: {destination: desk}}\ndestinations: {desk: {endpoint: PJSIP/1}}\n"
    configuration = load(written(tmp_path, GOOD + more))
    picked = pick(configuration, PluginHost.of({"parts": Parts()}))
    assert picked.sentiment is not None
    assert await picked.sentiment.make(configuration.site) == "moods of Ann"
    assert picked.sentiment in picked.made_without_effect
    assert configuration.settings.sentiment is not None
    assert configuration.settings.sentiment.escalation is not None
    assert configuration.settings.sentiment.escalation.destination == "desk"


def test_a_plugin_that_is_not_installed_is_named_with_its_line(tmp_path: Path) -> None:
    configuration = load(written(tmp_path, GOOD.replace("plugins: []", "plugins:\n  - no_such_plugin_here")))
    with pytest.raises(ConfigError, match=r"ccaas\.yaml:5: plugins\[0\]: no plug-in no_such_plugin_here is installed"):
        load_plugins(configuration)
