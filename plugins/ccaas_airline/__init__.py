"""A real airline to serve: the τ²-bench airline (customers, reservations, flights, policy) in SQLite, with its tools."""
