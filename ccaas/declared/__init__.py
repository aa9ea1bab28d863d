"""Tools that another system describes by JSON Schema and the YAML declares: what MCP and OpenAPI have in common."""

from ccaas.declared.forgetting import erase
from ccaas.declared.keys import Keys, NotKnown, path_of
from ccaas.declared.schema import json_model
from ccaas.declared.settings import Declared, declare

__all__ = ["Declared", "Keys", "NotKnown", "declare", "erase", "json_model", "path_of"]
