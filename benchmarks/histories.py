"""Histories of entities: each is created and then updated, and all of them live at once.

An event belongs to any of the streams with the same chance, so that those of one stream lie
anywhere, in their order; it is the hardest case for whoever folds them a batch at a time.
"""

import asyncpg
import msgspec
from pydantic import Field

from benchmarks.asking import BODY
from treering.entity import Entity

VERSIONS = 10
"""Events of each stream: the first creates it."""
UPDATED = msgspec.json.encode(
    {"rows": 184_224, "source": "s3://observations/rain/2026/12/northern.parquet"}
).decode()

_EVENTS = """
with drawn as (
    select n, row_number() over (order by random()) as place
      from generate_series($1::int, $1::int + $2::int - 1) as n, generate_series(1, $3::int)
), placed as (
    select place + $4::bigint as p, 'dataset/' || md5(n::text) as stream, md5(place::text) as id,
           row_number() over (partition by n order by place)::int as version
      from drawn
)
insert into events (position, recorded_at, time, id, version, stream, type, body, tenant, actor,
                    correlation, causation)
select p, to_timestamp(1.7e9 + p / 1e3), to_timestamp(1.7e9 + p / 1e3), gen_random_uuid(), version,
       stream, case version when 1 then 'dataset.created.v1' else 'dataset.updated.v1' end,
       case version when 1 then $5 else $6 end, 'default', 'benchmark', id, id
  from placed order by p
"""
_HEAD = """
update head set position = (select max(position) from events), recorded_at = now()
returning position
"""


class Dataset(Entity):
    """What has the histories."""

    name: str
    rows: int = 0
    source: str = ""
    columns: list[str] = Field(default_factory=list[str])


async def lived(url: str, schema: str, streams: int) -> int:
    """Append the histories of so many further streams; return the store's last position."""
    connection = await asyncpg.connect(url, server_settings={"search_path": schema})
    try:
        await connection.execute("set synchronous_commit = off; select setseed(0.5)")
        head = await connection.fetchval("select position from head")
        first = head // VERSIONS
        await connection.execute(_EVENTS, first, streams, VERSIONS, head, BODY, UPDATED)
        last = await connection.fetchval(_HEAD)
        await connection.execute("vacuum analyze events")
        await connection.execute("checkpoint")
    finally:
        await connection.close()
    return last
