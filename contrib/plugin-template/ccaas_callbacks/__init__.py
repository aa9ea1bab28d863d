"""A book of promised call-backs: two tools on a SQLite file."""
