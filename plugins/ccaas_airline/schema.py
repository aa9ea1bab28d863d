"""The airline's tables."""

from __future__ import annotations

VERSION = 1
"""Of the tables below; a database of another version is built anew by the set-up."""

HOLDS = """
CREATE TABLE IF NOT EXISTS holds (
    hold_id TEXT PRIMARY KEY,
    reservation_id TEXT NOT NULL,
    instead_of TEXT NOT NULL,
    instead_of_date TEXT NOT NULL,
    flight_number TEXT NOT NULL,
    date TEXT NOT NULL,
    cabin TEXT NOT NULL,
    seats INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'confirmed', 'released', 'expired')),
    until REAL NOT NULL
) STRICT, WITHOUT ROWID
"""

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE airports (iata TEXT PRIMARY KEY, city TEXT NOT NULL) STRICT;

CREATE TABLE users (
    user_id TEXT PRIMARY KEY,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    address1 TEXT NOT NULL,
    address2 TEXT,
    city TEXT NOT NULL,
    country TEXT NOT NULL,
    state TEXT NOT NULL,
    zip TEXT NOT NULL,
    email TEXT NOT NULL,
    dob TEXT NOT NULL,
    membership TEXT NOT NULL CHECK (membership IN ('gold', 'silver', 'regular'))
) STRICT;

CREATE TABLE phones (
    number TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users
) STRICT, WITHOUT ROWID;

CREATE TABLE saved_passengers (
    user_id TEXT NOT NULL REFERENCES users,
    place INTEGER NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    dob TEXT NOT NULL,
    PRIMARY KEY (user_id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE payment_methods (
    user_id TEXT NOT NULL REFERENCES users,
    payment_id TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('credit_card', 'gift_card', 'certificate')),
    brand TEXT,
    last_four TEXT,
    amount REAL,
    PRIMARY KEY (user_id, payment_id),
    CHECK ((source = 'credit_card') = (amount IS NULL))
) STRICT;

CREATE TABLE flights (
    flight_number TEXT PRIMARY KEY,
    origin TEXT NOT NULL REFERENCES airports,
    destination TEXT NOT NULL REFERENCES airports,
    departs TEXT NOT NULL,
    arrives TEXT NOT NULL,
    arrives_days_later INTEGER NOT NULL
) STRICT;
CREATE INDEX flights_by_route ON flights (origin, destination);

CREATE TABLE flight_days (
    flight_number TEXT NOT NULL REFERENCES flights,
    date TEXT NOT NULL,
    status TEXT NOT NULL,
    actual_departure TEXT,
    actual_arrival TEXT,
    estimated_departure TEXT,
    estimated_arrival TEXT,
    PRIMARY KEY (flight_number, date)
) STRICT, WITHOUT ROWID;

CREATE TABLE fares (
    flight_number TEXT NOT NULL,
    date TEXT NOT NULL,
    cabin TEXT NOT NULL,
    seats INTEGER NOT NULL CHECK (seats >= 0),
    price INTEGER NOT NULL,
    PRIMARY KEY (flight_number, date, cabin),
    FOREIGN KEY (flight_number, date) REFERENCES flight_days
) STRICT, WITHOUT ROWID;

CREATE TABLE reservations (
    reservation_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users,
    place INTEGER NOT NULL,
    origin TEXT NOT NULL REFERENCES airports,
    destination TEXT NOT NULL REFERENCES airports,
    flight_type TEXT NOT NULL,
    cabin TEXT NOT NULL,
    created_at TEXT NOT NULL,
    total_baggages INTEGER NOT NULL,
    nonfree_baggages INTEGER NOT NULL,
    insurance TEXT NOT NULL CHECK (insurance IN ('yes', 'no')),
    status TEXT CHECK (status = 'cancelled')
) STRICT;
CREATE UNIQUE INDEX reservations_by_user ON reservations (user_id, place);

CREATE TABLE booked_flights (
    reservation_id TEXT NOT NULL REFERENCES reservations,
    place INTEGER NOT NULL,
    flight_number TEXT NOT NULL,
    date TEXT NOT NULL,
    origin TEXT NOT NULL,
    destination TEXT NOT NULL,
    price INTEGER NOT NULL,
    PRIMARY KEY (reservation_id, place),
    FOREIGN KEY (flight_number, date) REFERENCES flight_days
) STRICT, WITHOUT ROWID;

CREATE TABLE passengers (
    reservation_id TEXT NOT NULL REFERENCES reservations,
    place INTEGER NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    dob TEXT NOT NULL,
    PRIMARY KEY (reservation_id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE payments (
    reservation_id TEXT NOT NULL REFERENCES reservations,
    place INTEGER NOT NULL,
    payment_id TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (reservation_id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE write_keys (
    key TEXT PRIMARY KEY,
    tool TEXT NOT NULL,
    call_id TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    at REAL NOT NULL,
    result TEXT NOT NULL,
    before TEXT,
    after TEXT
) STRICT, WITHOUT ROWID;
"""
