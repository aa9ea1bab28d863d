"""A small MCP server, as somebody else would write it: a process of its own. `python mcp_shop.py [PORT]`: pipes, or HTTP."""

from __future__ import annotations

import os
import sys

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel

shop = MCPServer("shop")
sold: dict[str, int] = {}


class Stock(BaseModel):
    """What is there."""

    item: str
    left: int


@shop.tool()
def getStock(item: str) -> Stock:
    """How many there are."""
    if item == "unicorn":
        raise ToolError("We have no unicorns.")
    return Stock(item=item, left=7 - len(sold))


@shop.tool()
def sell(item: str, pieces: int, ctx: Context) -> Stock:
    """Sell some."""
    if pieces == 13:
        os._exit(3)  # dies in the middle
    meta = ctx.request_context.meta or {}
    sold.setdefault(str(meta["idempotencyKey"]), pieces)
    if pieces == 12:
        raise ValueError("half done")
    return Stock(item=item, left=7 - len(sold))


@shop.tool()
def secret() -> str:
    """Tell what was handed to us."""
    return os.environ.get("SHOP_TOKEN", "nothing") + os.environ.get("OTHER_SECRET", "")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        shop.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        shop.run("stdio")
