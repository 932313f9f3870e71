"""`treering db`: the shape of the database."""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from cyclopts import App as Commands

from treering.app import App
from treering.cli import place
from treering.cli.output import say, warn
from treering.errors import SettingsError
from treering.roots import SERVICE
from treering.store import migrations
from treering.store.backfill import RuleChange, preview_rules, rule_change, upgrade_rules
from treering.store.revisions import HEAD, above

_BY_HAND = (
    "-- To be read, not to be run by hand: `treering db upgrade` does this in the service's schema,"
    "\n-- gives its users their rights, and notes the revision."
)
app = Commands(name="db", help="Bring the database up to date, or take the store down.")


@app.command
async def upgrade(*, to: str = "head", preview: bool = False) -> None:
    """Bring the database to what this release needs: its shape, its rules, its users' rights.

    A new rule, a unique key or a reference, is worked out for what is stored already, while the
    service runs; if something breaks it, that is listed, nothing is changed, and it ends with 1.
    Running it again changes nothing. The owner is TREERING_DATABASE_OWNER, else TREERING_DATABASE.

        treering db upgrade --preview

    Args:
        to: The revision to migrate to; rules are changed at the newest one only.
        preview: Say what would be done, and change nothing.

    """
    found = place.loaded()
    owner, namespace = place.database_owner(found), found.namespace
    pending = await migrations.pending(owner, namespace, to=to)
    is_newest = not above(to, HEAD)
    if is_newest:
        _require_kinds(found, await rule_change(owner, namespace, found.registry))
    if preview and pending:
        say(_BY_HAND)
        for revision in pending:
            say(f"-- Revision {revision.name}\n\n{revision.sql}")
    if is_newest and (preview or pending):
        change = await preview_rules(owner, namespace, found.registry)
        if preview:
            _tell(change, done=False)
    if preview:
        return
    revision = await migrations.upgrade(owner, namespace, **_users(found, owner), to=to)
    say(f"{namespace} is at revision {revision}.")
    await _warn_of_excess(found, owner)
    if is_newest:
        _tell(await upgrade_rules(owner, namespace, found.registry), done=True)


@app.command
async def downgrade(*, to: str = "base", yes: bool = False) -> None:
    """Migrate the database back; `base` removes the store with everything in it.

    It says what would be lost, and goes on only with --yes; never while the service runs.

        treering db downgrade --to 0001 --yes

    Args:
        to: The revision to go back to.
        yes: Really do it.

    """
    found = place.loaded()
    owner, namespace = place.database_owner(found), found.namespace
    lost = await migrations.losses(owner, namespace, to=to)
    if lost and not yes:
        raise SettingsError(
            f"This removes from {namespace!r}: {'; '.join(lost)}; say --yes if that is meant."
        )
    revision = await migrations.downgrade(owner, namespace, to=to, **_users(found, owner))
    say(f"{namespace} is at revision {revision or 'none'}.")


@app.command
async def current() -> None:
    """Print the revision that the database has.

    treering db current
    """
    found = place.loaded()
    revision = await migrations.current(place.database_owner(found), found.namespace)
    say(revision or "none")


def _require_kinds(found: App, change: RuleChange) -> None:
    """Raise SettingsError if rules would go only because the service is not in this folder."""
    gone = [rule for rule in change.gone if rule.partition(" ")[0] not in found.registry.deciders]
    if gone and found.root is None:
        raise SettingsError(
            f"There is no {SERVICE} in {Path.cwd()}, and without it the rules of "
            f"{found.namespace!r} would go, such as {gone[0]!r}: run it in the folder of the "
            "service, or name that with --app."
        )


def _tell(change: RuleChange, *, done: bool) -> None:
    """Print which rules are new or gone, and what that took."""
    for rule in change.new:
        say(f"New rule: {rule}.")
    for rule in change.gone:
        say(f"Rule gone: {rule}.")
    if change and done:
        waited = f"{change.seconds:.2f} s"
        say(f"{change.streams:,} streams were folded for that; appends waited {waited}.")


async def _warn_of_excess(found: App, owner: str) -> None:
    """Say what the gateway's user may do although it should only read; the owner may not forbid."""
    reader = _users(found, owner)["reader"]
    if reader and (left := await migrations.excess(owner, reader)):
        warn(
            f"{reader} can {', '.join(left)}: only the database's owner or a superuser can take "
            "that away; docs/howto/running.md says how."
        )


def _users(found: App, owner: str) -> dict[str, str | None]:
    """Return who is to append and who is to read."""
    said = found.settings
    return {
        "writer": _another(said.database, owner),
        "reader": _another(said.database_reader, owner),
    }


def _another(url: str | None, owner: str) -> str | None:
    """Return the user of *url* unless that is the owner, who needs no grant."""
    user = _user(url) if url else None
    return None if user == _user(owner) else user


def _user(url: str) -> str | None:
    parts = urlsplit(url)
    return (
        unquote(parts.username) if parts.username else parse_qs(parts.query).get("user", [None])[0]
    )
