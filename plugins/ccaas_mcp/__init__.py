"""Tools of an MCP server (Model Context Protocol), started by us or reached over HTTP."""
