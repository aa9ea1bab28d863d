"""Tools that another system describes by JSON Schema and the YAML declares: what MCP and OpenAPI have in common."""

from ccaas.declared.keys import Keys, NotKnown
from ccaas.declared.schema import json_model
from ccaas.declared.settings import Declared, declare

__all__ = ["Declared", "Keys", "NotKnown", "declare", "json_model"]
