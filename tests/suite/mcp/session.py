"""A session of the official client with `synix mcp`, whose command line is in the arguments."""

import asyncio
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main():
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:], env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        hello = await session.initialize()
        assert hello.server_info.name == "synix", hello
        tools = [tool.name for tool in (await session.list_tools()).tools]
        assert tools == ["search", "show", "lineage", "list"], tools

        listed = (await session.call_tool("list", {"layer": "summary"})).structured_content
        assert [one["label"] for one in listed["artifacts"]] == ["summary"], listed
        shown = await session.call_tool("show", {"label": "summary"})
        assert not shown.is_error and shown.structured_content["content"], shown
        arguments = {"label": "summary", "direction": "roots"}
        roots = (await session.call_tool("lineage", arguments)).structured_content
        files = sorted(node["path"] for node in roots["nodes"] if node["type"] == "source_file")
        assert files == ["bios/amara.md", "bios/bela.md", "bios/chitra.md"], files

        found = (await session.call_tool("search", {"query": "amara"})).structured_content
        assert any(one["label"] == "amara" for one in found["results"]), found

        wrong = await session.call_tool("show", {"label": "sumary"})
        assert wrong.is_error and "did you mean" in wrong.content[0].text, wrong
    print("done")


asyncio.run(main())
