"""What the agent does to the world: the gate before every tool, the time limit around it, the audit behind it."""

from ccaas.actions.audit import Audit, Outcome, ToolRun
from ccaas.actions.books import Books
from ccaas.actions.phase import Limits
from ccaas.actions.runner import CallTools
from ccaas.actions.tool import Tools

__all__ = ["Audit", "Books", "CallTools", "Limits", "Outcome", "ToolRun", "Tools"]
