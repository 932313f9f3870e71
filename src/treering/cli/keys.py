"""`treering keys`: who is let in. Commands are signed, so that there is always a way back in."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cyclopts import App as Commands

from treering.app import App
from treering.cli import place
from treering.cli.command import REFUSED
from treering.cli.output import complain, say, show, table, warn
from treering.domain.api_key import KIND, Access, Key, represent
from treering.errors import SettingsError
from treering.gateway.collection import ID, ID_IN_WORDS
from treering.keys import Keyring, configured_keys, following, made
from treering.message import Outcome

app = Commands(name="keys", help="API keys: make them, see them, revoke them.")


@app.command
async def create(
    name: str,
    /,
    *,
    access: Access = "write",
    expires: datetime | None = None,
    note: str = "",
) -> int:
    """Make a key and print it, once; from the first one on nobody is let in without a key.

    Ends with 2 when it was refused, such as for a name that a key has had before.

        treering keys create ci --access write --expires 2030-01-01T00:00:00Z

    Args:
        name: Who has it; commands and events say so.
        access: read, write, or admin, who makes keys and sees who did what.
        expires: When it ends to let in; never unless given.
        note: What it is for.

    """
    body = {"access": access, "note": note, **_until(expires)}
    return await _made("issue", name, body)


@app.command
async def rotate(name: str, /, *, expires: datetime | None = None) -> int:
    """Make another key under the same name and print it, once; the one before is void.

        treering keys rotate ci

    Args:
        name: The key's name.
        expires: When the new one ends to let in; never unless given.

    """
    return await _made("rotate", name, _until(expires))


@app.command
async def revoke(name: str, /, *, reason: str = "") -> int:
    """Refuse a key from now on, within a second everywhere, and for good.

        treering keys revoke ci --reason "left in a log"

    Args:
        name: The key's name.
        reason: Why, for those who come after.

    """
    outcome = await _asked(place.loaded(), "revoke", name, {"reason": reason})
    if outcome.problem is None:
        say(f"{name} is revoked.")
    return _status(outcome)


@app.command(name="list")
async def list_(*, json: bool = False) -> None:
    """List all keys there ever were, and those that settings name by a part of their digest.

        treering keys list

    Args:
        json: Print JSON.

    """
    found = place.loaded()
    async with place.reader(found) as reader, following(reader) as issued:
        rows = [_row(represent(stream, key) or {}, key) for stream, key in issued]
    ring = Keyring(None, configured_keys(found.settings.api_keys, found.settings.api_key_file))
    configured = [{"id": actor, "access": "admin", "state": "configured"} for actor in ring.names]
    if json:
        show([*rows, *configured])
        return
    names = ("id", "state", "access", "prefix", "expires_at", "created_by", "note")
    table(names, [[each.get(name) or "" for name in names] for each in [*rows, *configured]])
    if not rows and not configured:
        say("There is no key, so that everybody is let in.")


async def _made(word: str, name: str, body: Mapping[str, Any]) -> int:
    new = made()
    said = {**body, "prefix": new.prefix, "digest": new.digest}
    outcome = await _asked(place.loaded(), word, name, said)
    if outcome.problem is None:
        warn("Keep this key: it is shown this once, and sent as X-API-Key.")
        say(new.key)
    return _status(outcome)


async def _asked(found: App, word: str, name: str, body: Mapping[str, Any]) -> Outcome:
    if not ID.fullmatch(name):
        raise SettingsError(f"{name!r} can be no name of a key: it is {ID_IN_WORDS}.")
    async with place.client(found) as client:
        return await client.ask(f"{KIND}.{word}.v1", body, subject=f"{KIND}/{name}")


def _status(outcome: Outcome) -> int:
    if outcome.problem is None:
        return 0
    complain(outcome.problem["detail"])
    return REFUSED


def _until(expires: datetime | None) -> Mapping[str, Any]:
    """Return when a key ends; a moment without a zone is in UTC."""
    if expires is None:
        return {}
    known = expires if expires.tzinfo else expires.replace(tzinfo=UTC)
    return {"expires_at": known.isoformat()}


def _row(shown: Mapping[str, Any], key: Key) -> Mapping[str, Any]:
    state = "revoked" if key.status == "revoked" else "expired"
    return {**shown, "state": "good" if key.lets_in(datetime.now(UTC)) else state}
