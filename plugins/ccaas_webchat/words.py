"""Every text that the widget shows or a screen reader speaks, in English; the setting `words` replaces them.

`{…}` is filled in by the widget.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "title": "Chat with us",
        "open": "Open chat",
        "open_unread": "Open chat, {count} unread",
        "close": "Close chat",
        "conversation": "Conversation",
        "message": "Your message",
        "placeholder": "Write a message…",
        "send": "Send",
        "you": "You",
        "agent": "Agent",
        "typing": "Agent is typing…",
        "today": "Today",
        "yesterday": "Yesterday",
        "new_below": "New messages",
        "earlier": "Show earlier messages",
        "sending": "Sending…",
        "sent": "Sent",
        "read": "Read",
        "unsent": "Not sent",
        "too_long": "Not sent: longer than {count} characters.",
        "flood": "Not sent: you wrote very much at once.",
        "again": "Send again",
        "remove": "Remove",
        "left": "{count} characters left",
        "over": "{count} characters too many",
        "connecting": "Connecting…",
        "connected": "Connected again.",
        "offline": "You are offline. Your messages are sent when you are back.",
        "lost": "Connection lost. Trying again in {count} s…",
        "lost_short": "Connection lost. Trying again…",
        "retry": "Try now",
        "busy": "One moment: your message goes out in {count} s.",
        "refused": "You have been signed out of this chat. Reload the page to go on.",
        "sign_in": "Please sign in to chat with us.",
        "moved": "This chat was opened too often. Close other tabs and reload the page.",
        "new_tab": "Opens in a new tab",
    }
)
