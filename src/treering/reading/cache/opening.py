"""The cache that the settings ask for."""

import importlib

from treering.errors import SettingsError
from treering.reading.cache.memory import Memory
from treering.reading.cache.options import Cache, Shared

_MEGABYTE = 1_000_000


def cache_of(said: str, *, namespace: str, megabytes: int, seconds: float) -> Cache | None:
    """Return the cache that *said* names: None for `off`, `memory`, or the address of a Redis.

    Raises SettingsError if Redis is asked for and its client is not installed.
    """
    if said == "off":
        return None
    shared = None if said == "memory" else _redis(said, namespace)
    return Cache(memory=Memory(megabytes * _MEGABYTE), shared=shared, seconds=seconds)


def _redis(url: str, namespace: str) -> Shared:
    """Return the cache in that Redis; its client is imported only where one is asked for."""
    try:
        module = importlib.import_module("treering.reading.cache.redis")
    except ImportError as error:
        raise SettingsError(
            "TREERING_CACHE names a Redis, whose client is missing: install treering[redis], or "
            "say TREERING_CACHE=memory."
        ) from error
    return module.Redis(url, namespace)
