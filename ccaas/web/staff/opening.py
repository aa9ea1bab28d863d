"""The site, as the YAML wants it."""

from __future__ import annotations

from ccaas.config.configuration import Configuration
from ccaas.textdesk import signing_key
from ccaas.web.staff.server import StaffSite

KEY_FILE = "desk.key"
"""Name within the state folder of the key that signs cookies."""


def staff_site(configuration: Configuration) -> StaffSite | None:
    """Made, to be filled with pages and routes and then started; None where the YAML has no desk. Raises SetupError."""
    desk = configuration.settings.web.desk
    if desk is None:
        return None
    site = configuration.site
    site.state_dir.mkdir(parents=True, exist_ok=True)
    key = signing_key(site.state_dir / KEY_FILE)
    return StaffSite(desk, configuration.settings.name, site.state_dir, site.config_dir, key)
