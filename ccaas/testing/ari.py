"""ARI's JSON as Asterisk sends it, for tests."""

from __future__ import annotations

import json
from typing import Any


def channel(
    leg_id: str, state: str = "Up", app: str = "Stasis", data: str = "ccaas,inbound,1000", exten: str = "1000"
) -> dict[str, Any]:
    return {
        "id": leg_id,
        "name": "PJSIP/x-00000001",
        "state": state,
        "protocol_id": "",
        "caller": {"name": "", "number": "+16175550142"},
        "connected": {"name": "", "number": ""},
        "accountcode": "",
        "dialplan": {"context": "in", "exten": exten, "priority": 1, "app_name": app, "app_data": data},
        "creationtime": "2026-11-22T16:00:28.101+0000",
        "language": "en",
    }


def bridge(bridge_id: str, *leg_ids: str) -> dict[str, Any]:
    return {
        "id": bridge_id,
        "technology": "simple_bridge",
        "bridge_type": "mixing",
        "bridge_class": "stasis",
        "creator": "Stasis",
        "name": bridge_id,
        "channels": list(leg_ids),
        "creationtime": "2026-11-22T16:00:28.101+0000",
    }


def message(kind: str, **fields: Any) -> str:
    return json.dumps(
        {"type": kind, "application": "ccaas", "timestamp": "2026-11-22T16:00:28.101+0000", "asterisk_id": "x"} | fields
    )
