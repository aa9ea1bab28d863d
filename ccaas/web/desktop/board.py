"""What pages see of queues and agents: short for agents, whole for supervisors."""

from __future__ import annotations

from typing import Any

from ccaas.ports.contact import Board, Line
from ccaas.web.desktop.feed import Feed
from ccaas.web.desktop.frames import encode


def outline(board: Board) -> str:
    """Queues in numbers and agents by state: a frame for every agent's page."""
    queues = [
        {
            "name": queue.name,
            "open": queue.open,
            "waiting": len(queue.waiting),
            "since": min((one.since for one in queue.waiting), default=None),
            "available": queue.available,
            "expected_wait_s": queue.expected_wait_s,
            "service_level": queue.service_level,
        }
        for queue in board.queues
    ]
    agents = [{"login": one.login, "name": one.name, "state": one.state} for one in board.agents]
    return encode("queues", queues=queues, agents=agents)


class Observer:
    """A supervisor's page."""

    def __init__(self) -> None:
        self.feed = Feed()
        self.follows = ""
        """The conversation whose words it wants."""

    def see(self, frame: str) -> None:
        """The whole board, encoded."""
        self.feed.push_encoded(frame)

    def said(self, conversation_id: str, line: Line) -> None:
        """A line of any conversation."""
        if conversation_id == self.follows:
            self.feed.push("said", conversation=conversation_id, line=line)

    def snapshot(self, board: Board) -> dict[str, Any]:
        """Everything that the page shows."""
        return {"instance": self.feed.instance, "seq": self.feed.seq, "board": board}
