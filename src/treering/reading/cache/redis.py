"""Answers that gateways share: in Redis, where the comparison and the put are one step."""

from time import monotonic

import structlog
from redis.asyncio import Redis as Client
from redis.exceptions import RedisError

from treering.reading.cache.entry import DIGITS, Entry

_TIMEOUT = 0.25
"""Seconds after which Redis counts as away: it is asked in place of a database that answers."""
_PAUSE = 2.0
"""Seconds for which it is then left alone."""
_PUT = """
local before = redis.call("GETRANGE", KEYS[1], 0, ARGV[3] - 1)
if before > string.sub(ARGV[1], 1, ARGV[3]) then return 0 end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return 1
"""
"""Positions begin an entry, with as many digits each, so that they compare as texts."""
_log = structlog.get_logger("treering.gateway")


class Redis:
    """Keeps entries in the Redis at *url*, each under a name that begins with the *namespace*.

    While it is away everything is asked of the database; nothing waits for it twice.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self._client: Client = Client.from_url(  # pyright: ignore[reportUnknownMemberType]
            url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT
        )
        self._put = self._client.register_script(_PUT)
        self._prefix = f"treering:{namespace}:"
        self._away_until = 0.0

    async def get(self, address: str) -> Entry | None:
        """Return the entry there; None if Redis is away, too."""
        if monotonic() < self._away_until:
            return None
        try:
            found = await self._client.get(self._prefix + address)
        except (RedisError, OSError) as error:
            self._leave(error)
            return None
        return Entry.read(found) if isinstance(found, bytes) else None

    async def put(self, address: str, entry: Entry, seconds: float) -> bool:
        """Keep *entry* unless a newer one is there, however many put at once."""
        if monotonic() < self._away_until:
            return False
        milliseconds = max(1, round(seconds * 1000))
        arguments = [entry.written(), milliseconds, DIGITS]
        try:
            return bool(await self._put(keys=[self._prefix + address], args=arguments))
        except (RedisError, OSError) as error:
            self._leave(error)
            return False

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    def _leave(self, error: Exception) -> None:
        """Leave Redis alone for a while."""
        self._away_until = monotonic() + _PAUSE
        _log.warning("Redis did not answer; the database is asked", error=str(error))
