"""The scorecard of an installation."""

from __future__ import annotations

from ccaas.config.configuration import Configuration
from ccaas.scorecard.scorecard import Scorecard


def scorecard_of(configuration: Configuration) -> Scorecard:
    """As the YAML wants it; nothing is opened yet."""
    settings = configuration.settings
    promised = {name: float(queue.service_level.seconds) for name, queue in settings.queues.items()}
    return Scorecard(configuration.site.state_dir, settings.timezone, settings.scorecard, promised)
