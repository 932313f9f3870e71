"""An entity says where to go on from it, if that is asked."""

import httpx2
import pytest

from tests.gateway.running import Running
from treering import ulid

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"


async def test_links_lead_to_what_answers(http: httpx2.AsyncClient) -> None:
    made = await http.post(DATASETS, json={"name": ulid.new(), "rows": 2})
    place = f"{DATASETS}/{made.json()['id']}"
    shown = (await http.get(place, params={"links": "true"})).json()
    links = shown.pop("_links")
    assert shown == made.json()
    assert links["self"] == {"href": place}
    assert links["collection"] == {"href": DATASETS}
    assert (await http.get(links["history"]["href"])).status_code == 200
    done = await http.request(links["fill"]["method"], links["fill"]["href"], json={"rows": 1})
    assert done.json()["rows"] == 3
    assert links["update"] == {"href": place, "method": "PUT"}
    gone = await http.request(links["delete"]["method"], links["delete"]["href"])
    assert gone.status_code == 204


async def test_nobody_is_led_to_what_is_not_served(service: Running) -> None:
    outcome = await service.client.ask("gauge.create.v1", {"name": "a"}, timeout=20)
    assert outcome.entity is not None
    place = f"/api/v1/gauges/{outcome.entity['id']}"
    headers = {"Treering-Position": str((outcome.positions or (0, 0))[1])}
    shown = await service.http.get(place, params={"links": "true"}, headers=headers)
    assert {*shown.json()["_links"]} == {
        "self", "collection", "history", "diff", "update", "patch", "tag", "untag",
    }  # fmt: skip


async def test_the_tag_tells_them_apart(http: httpx2.AsyncClient) -> None:
    made = await http.post(DATASETS, json={"name": ulid.new()})
    place = f"{DATASETS}/{made.json()['id']}"
    plain, linked = await http.get(place), await http.get(f"{place}?links=true")
    assert "_links" not in plain.json()
    assert plain.headers["etag"] != linked.headers["etag"]
    same = await http.get(f"{place}?links=true", headers={"If-None-Match": linked.headers["etag"]})
    assert same.status_code == 304
    position = made.headers["treering-position"].rpartition(":")[2]
    then = await http.get(f"{place}?links=true&as_of={position}")
    assert "_links" in then.json()
