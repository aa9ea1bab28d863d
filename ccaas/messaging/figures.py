"""What Prometheus is told of conversations by text."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

RECEIVED = Counter(
    "ccaas_messages_in_total", "Messages that came in, by what was done with them", ["channel", "result"]
)
SENT = Counter(
    "ccaas_messages_out_total", "Messages that were to go out, by what became of them", ["channel", "result"]
)
RETRIED = Counter("ccaas_messages_retried_total", "Attempts to send that failed and are made again", ["channel"])
OPEN = Gauge("ccaas_conversations_open", "Conversations by text that are open")
REPLY_SECONDS = Histogram(
    "ccaas_message_reply_seconds",
    "From a message's arrival to its answer being handed to the channel",
    ["channel"],
    buckets=(0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0),
)
