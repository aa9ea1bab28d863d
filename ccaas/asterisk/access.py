"""Where and as whom one installation uses ARI."""

from __future__ import annotations

import os

from ccaas.asterisk.folder import RunFolder
from ccaas.asterisk.secrets import AriAccess, ari_access
from ccaas.config.configuration import Configuration


def access_of(configuration: Configuration) -> AriAccess:
    """From the YAML, its secrets and the environment. Raises ConfigError or AsteriskError."""
    folder = RunFolder(configuration.site.state_dir / "asterisk")
    return ari_access(configuration.settings.asterisk, folder.secrets, dict(os.environ))
