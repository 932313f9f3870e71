"""An entity is served with what its class line says, and with nothing else."""

import httpx2
import pytest

from tests.gateway.running import Running, problem, word
from treering import ulid

pytestmark = pytest.mark.asyncio(loop_scope="module")
GAUGES = "/api/v1/gauges"


async def made(service: Running) -> str:
    outcome = await service.client.ask("gauge.create.v1", {"name": "a"}, timeout=20)
    assert outcome.entity is not None
    return f"{GAUGES}/{outcome.entity['id']}"


async def test_what_is_served_answers(service: Running) -> None:
    place = await made(service)
    assert (await service.http.put(place, json={"name": "b"})).status_code == 200
    assert (await service.http.get(place)).json()["name"] == "b"
    assert (await service.http.post(f"{place}/$tag", json={"tags": ["x"]})).status_code == 200
    assert (await service.http.get(GAUGES)).status_code == 200


async def test_what_is_not_served_has_no_address(service: Running) -> None:
    place = await made(service)
    for refused in (
        await service.http.post(GAUGES, json={"name": "c"}),
        await service.http.delete(place),
    ):
        assert (refused.status_code, word(refused)) == (405, "method-not-allowed")
    for path in (f"{place}/$purge", f"{place}/$restore"):
        assert (await service.http.post(path)).status_code == 404


async def test_no_other_address_does_it_instead(service: Running) -> None:
    place = await made(service)
    subject = f"gauge/{place.rpartition('/')[2]}"
    for said in (
        {"type": "gauge.create.v1", "data": {"name": "c"}},
        {"type": "gauge.delete.v1", "subject": subject},
        {"type": "gauge.bulk.v1", "data": {"delete": [subject[6:]]}},
    ):
        refused = await service.http.post("/api/v1/commands", json=said)
        assert (refused.status_code, word(refused)) == (403, "not-served")
    bulk = await service.http.post(f"{GAUGES}/$bulk", json=[{"id": ulid.new(), "name": "c"}])
    assert (bulk.status_code, problem(bulk)["errors"][0]["type"]) == (422, "not_served")
    changed = {"update": [{"id": subject[6:], "name": "d"}]}
    assert (await service.http.post(f"{GAUGES}/$bulk", json=changed)).json()["updated"] == 1


async def test_only_what_is_served_is_described(http: httpx2.AsyncClient) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    assert {*paths[GAUGES]} == {"get"}
    assert {*paths[f"{GAUGES}/{{id}}"]} == {"get", "put", "patch", "parameters"}
    assert f"{GAUGES}/{{id}}/$purge" not in paths
