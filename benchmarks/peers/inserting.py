"""Bare asyncpg: rows inserted by one statement, committed.

Arguments: URL, and a JSON array of the rows. Each line is answered with the milliseconds it took.
"""

import asyncio
import json
import sys
import time

import asyncpg
import uvloop

TABLE = """
create table bare_configs (
    id uuid primary key default gen_random_uuid(), name text, data jsonb,
    created_at timestamptz default now(), updated_at timestamptz default now()
)
"""
INSERT = "insert into bare_configs (name, data) select * from unnest($1::text[], $2::jsonb[])"


async def main(url: str, said: str) -> None:
    """Answer each line."""
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    rows = json.loads(said)
    names = [row["name"] for row in rows]
    data = [json.dumps(row["data"]) for row in rows]
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        began = time.perf_counter()
        await connection.execute(INSERT, names, data)
        print(1000 * (time.perf_counter() - began), flush=True)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
