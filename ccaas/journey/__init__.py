"""The one brain's store: one set of statements over SQLite and PostgreSQL."""
