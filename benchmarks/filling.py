"""A store with many events, made at once: consistent, as if each stream had been appended to."""

import hashlib

import asyncpg

from benchmarks.asking import BODY

VERSIONS = 10
"""Events of each stream."""
_CHUNK = 1_000_000

_EVENTS = """
insert into events (position, recorded_at, time, id, version, stream, type, body, tenant, actor,
                    correlation, causation)
select p, to_timestamp(1.7e9 + p / 1e3), to_timestamp(1.7e9 + p / 1e3), gen_random_uuid(),
       (p - 1) / $1 + 1, 'bench/' || md5(((p - 1) % $1)::text), 'dataset.updated.v1', $2,
       'default', 'benchmark', 'filled', md5(((p - 1) % $1)::text)
  from generate_series($3::bigint, $4::bigint) as p
"""
_STREAMS = """
insert into stream (stream, kind, version)
select 'bench/' || md5(n::text), 'bench', $1 from generate_series(0, $2 - 1) as n
"""
_VERDICTS = """
insert into verdict (recorded_at, first, last, version, outcome, id, tenant, fingerprint, stream)
select now(), n + 1, n + 1, 1, 'a', md5(n::text), 'default', decode(md5(n::text), 'hex'),
       'bench/' || md5(n::text)
  from generate_series(0, $1 - 1) as n order by md5(n::text)
"""
_KEYS = """
insert into unique_key (key, stream)
select 'bench.name="' || md5(n::text) || '"', 'bench/' || md5(n::text)
  from generate_series(0, $1 - 1) as n order by 1
"""
_WITHOUT = "alter table events drop constraint events_stream_version_key"
_WITH = "alter table events add unique (stream, version)"


def stream_of(number: int) -> str:
    """Return the name of the stream with this number, counted from 0."""
    return f"bench/{hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()}"


async def filled(url: str, schema: str, events: int) -> None:
    """Fill the new store of *schema*; the events of a stream lie far apart, as in life."""
    streams = events // VERSIONS
    connection = await asyncpg.connect(url, server_settings={"search_path": schema})
    await connection.execute("set synchronous_commit = off; set maintenance_work_mem = '512MB'")
    await connection.execute(_WITHOUT)
    for first in range(1, events + 1, _CHUNK):
        last = min(first + _CHUNK - 1, events)
        await connection.execute(_EVENTS, streams, BODY, first, last)
    await connection.execute(_WITH)
    await connection.execute(_STREAMS, VERSIONS, streams)
    await connection.execute(_VERDICTS, streams)
    await connection.execute(_KEYS, streams)
    await connection.execute(
        "update head set position = (select max(position) from events), recorded_at = now()"
    )
    for statement in ("vacuum analyze", "checkpoint"):
        await connection.execute(statement)
    await connection.close()
