"""The incident ledger: what hurt a customer, what was tried, what came of it, and whether they contacted us all the same."""

from ccaas.scorecard.incidents.ledger import SqliteIncidents
from ccaas.scorecard.incidents.port import Attempt, Incident, IncidentLedger, Resolution

__all__ = ["Attempt", "Incident", "IncidentLedger", "Resolution", "SqliteIncidents"]
