"""Keys on the command line: there is always a way back in."""

import asyncio

import httpx2
import pytest

from tests.cli.conftest import Treering

pytestmark = pytest.mark.usefixtures("rainfall")


async def _status(url: str, key: str | None, wanted: int) -> None:
    """Wait until who has *key* is answered so."""
    headers = {} if key is None else {"X-API-Key": key}
    async with httpx2.AsyncClient(base_url=url, headers=headers) as http, asyncio.timeout(5):
        while (await http.get("/api/v1/stations")).status_code != wanted:
            pass


def test_a_key_is_made_listed_made_anew_and_revoked(treering: Treering) -> None:
    url = treering("status", "--json").json["http"]
    assert "everybody is let in" in treering("keys", "list").out
    made = treering("keys", "create", "ci", "--note", "tests", "--expires", "2999-01-01")
    assert (made.status, "shown this once" in made.err) == (0, True)
    (first,) = made.lines
    asyncio.run(_status(url, first, 200))
    asyncio.run(_status(url, None, 401))
    (shown,) = treering("keys", "list", "--json").json
    assert (shown["id"], shown["state"], shown["created_by"]) == ("ci", "good", "cli")
    assert shown["expires_at"].startswith("2999-01-01T00:00")
    (second,) = treering("keys", "rotate", "ci").lines
    asyncio.run(_status(url, first, 401))
    asyncio.run(_status(url, second, 200))
    assert treering("command", "station.create", "name=signed").status == 0
    assert treering("keys", "revoke", "ci", "--reason", "tests").status == 0
    asyncio.run(_status(url, second, 401))
    assert treering("keys", "list").lines[-1].startswith("ci revoked write")


def test_a_name_is_given_once_and_has_to_be_one(treering: Treering) -> None:
    assert treering("keys", "create", "twice").status == 0
    said = treering("keys", "create", "twice")
    assert (said.status, said.out, "exists already" in said.err) == (2, "", True)
    said = treering("keys", "revoke", "never")
    assert (said.status, "does not exist" in said.err) == (2, True)
    said = treering("keys", "create", "a/b")
    assert (said.status, "can be no name" in said.err) == (1, True)
