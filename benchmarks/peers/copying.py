"""Bare asyncpg: read all events of a store, and copy the rows of a read model into a new table.

Arguments: URL, schema, and the read model's table. Each line is answered with events a second.
"""

import asyncio
import sys
import time

import asyncpg
import uvloop

PAGE = 2000
READ = "select * from events where position > $1 order by position limit $2"


async def measure(connection: asyncpg.Connection, rows: list[tuple[object, ...]]) -> float:
    """Return events a second of reading them all and copying *rows*."""
    await connection.execute("truncate bare_copy")
    read, last = 0, 0
    began = time.perf_counter()
    while page := await connection.fetch(READ, last, PAGE):
        read, last = read + len(page), page[-1]["position"]
    await connection.copy_records_to_table("bare_copy", records=rows)
    return read / (time.perf_counter() - began)


async def main(url: str, schema: str, table: str) -> None:
    """Answer each line."""
    settings = {"search_path": f"{schema},{schema}_read", "synchronous_commit": "off"}
    connection = await asyncpg.connect(url, server_settings=settings)
    rows = [tuple(row) for row in await connection.fetch(f"select * from {table}")]  # noqa: S608
    shape = await connection.fetchval(
        f"select tables[1] from projection where name = '{table}' order by build desc limit 1"  # noqa: S608
    )
    await connection.execute(f"create table bare_copy (like {shape} including all)")
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(await measure(connection, rows), flush=True)


uvloop.run(main(*sys.argv[1:4]))
