"""Web chat: a text channel over WebSocket, and the widget that a web page gets with one script tag."""
