"""`treering db`: the shape of the database."""

from urllib.parse import parse_qs, unquote, urlsplit

from cyclopts import App

from treering.cli import place
from treering.cli.output import say
from treering.errors import SettingsError
from treering.store import migrations

app = App(name="db", help="Bring the database up to date, or take the store down.")


@app.command
async def upgrade(*, to: str = "head") -> None:
    """Migrate the database to what this release needs, and grant writer and reader their rights.

    Running it again changes nothing. The owner is TREERING_DATABASE_OWNER, else
    TREERING_DATABASE.

        treering db upgrade

    Args:
        to: The revision to migrate to.

    """
    found = place.loaded()
    owner = place.database_owner(found)
    writer, reader = (
        _another(url, owner) for url in (found.settings.database, found.settings.database_reader)
    )
    revision = await migrations.upgrade(owner, found.namespace, writer=writer, reader=reader, to=to)
    say(f"{found.namespace} is at revision {revision}.")


@app.command
async def downgrade(*, to: str = "base", yes: bool = False) -> None:
    """Migrate the database back; `base` removes the store with everything in it.

        treering db downgrade --to 0001 --yes

    Args:
        to: The revision to go back to.
        yes: Really do it.

    """
    found = place.loaded()
    if not yes:
        raise SettingsError(
            f"This may remove what the store of {found.namespace!r} holds; say --yes if that is "
            "meant."
        )
    revision = await migrations.downgrade(place.database_owner(found), found.namespace, to=to)
    say(f"{found.namespace} is at revision {revision or 'none'}.")


@app.command
async def current() -> None:
    """Print the revision that the database has.

    treering db current
    """
    found = place.loaded()
    revision = await migrations.current(place.database_owner(found), found.namespace)
    say(revision or "none")


def _another(url: str | None, owner: str) -> str | None:
    """Return the user of *url* unless that is the owner, who needs no grant."""
    user = _user(url) if url else None
    return None if user == _user(owner) else user


def _user(url: str) -> str | None:
    parts = urlsplit(url)
    return (
        unquote(parts.username) if parts.username else parse_qs(parts.query).get("user", [None])[0]
    )
