"""The rules that a store keeps, in words, beside those that a service declares."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from treering.errors import StoreNotReady
from treering.rulebook import Words
from treering.sql import statement


async def stored_rules(fetch: Callable[[str], Awaitable[Iterable[Any]]]) -> Words:
    """Return the rules that the store keeps."""
    return frozenset(row["rule"] for row in await fetch(statement("rules")))


def difference(namespace: str, declared: Words, stored: Words) -> str | None:
    """Return a sentence with what is new and what is gone; None if both are the same."""
    parts = [
        *(f"{word!r} is new" for word in sorted(declared - stored)),
        *(f"{word!r} is gone" for word in sorted(stored - declared)),
    ]
    if not parts:
        return None
    return (
        f"The rules of {namespace!r} are not those that its store keeps: {', '.join(parts)}; "
        "run `treering db upgrade` with the release that is to decide."
    )


def require_same(namespace: str, declared: Words, stored: Words) -> None:
    """Raise StoreNotReady, with what is new and what is gone, unless both are the same."""
    if said := difference(namespace, declared, stored):
        raise StoreNotReady(said)
