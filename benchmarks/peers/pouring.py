"""Bare asyncpg: `COPY … TO STDOUT (FORMAT csv)` of a table, thrown away as it comes.

Arguments: URL and table. Each line, which says how many rows there are, is answered with rows a
second.
"""

import asyncio
import sys
import time

import asyncpg
import uvloop


async def pour(connection: asyncpg.Connection, table: str, rows: int) -> float:
    """Return rows a second."""
    size = 0

    async def take(piece: bytes) -> None:
        nonlocal size
        size += len(piece)

    schema, name = table.split(".")
    columns = ["id", "created_at", "updated_at", "deleted_at", "tags", "name", "data"]
    began = time.perf_counter()
    await connection.copy_from_table(
        name, schema_name=schema, columns=columns, output=take, format="csv", header=True
    )
    if not size:
        raise RuntimeError("There is nothing.")
    return rows / (time.perf_counter() - began)


async def main(url: str, table: str) -> None:
    """Answer each line."""
    connection = await asyncpg.connect(url)
    schema, name = table.split(".")
    build = await connection.fetchval(
        f"select tables[1] from {schema}.projection where name = $1 order by build desc limit 1",  # noqa: S608
        name,
    )
    loop = asyncio.get_running_loop()
    while rows := await loop.run_in_executor(None, sys.stdin.readline):
        print(await pour(connection, f"{schema}.{build}", int(rows)), flush=True)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
