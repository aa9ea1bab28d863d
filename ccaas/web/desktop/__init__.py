"""The Concierge's desktop and the supervisor's board: what they are told, what they ask, and their pages."""
