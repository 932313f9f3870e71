"""A list that is asked for whole is bounded."""

from tests.gateway.running import Circumstances, running, word
from treering import ulid
from treering.embedded import Addresses

DATASETS = "/api/v1/datasets"


async def test_a_list_that_is_too_long_names_other_ways(servers: Addresses) -> None:
    namespace = f"g-{ulid.new()[-12:].lower()}"
    async with running(servers, namespace, Circumstances(list_max=2)) as service:
        http = service.http
        for name in ("a", "b"):
            await http.post(DATASETS, json={"name": name})
        assert len((await http.get(DATASETS)).json()) == 2
        await http.post(DATASETS, json={"name": "c"})
        whole = await http.get(DATASETS)
        assert (whole.status_code, word(whole)) == (413, "too-long")
        assert "$export" in whole.json()["detail"]
        assert len((await http.get(DATASETS, params={"name[ne]": "a"})).json()) == 2
        assert (await http.get(DATASETS, params={"page": 1, "size": 3})).json()["total"] == 3
        exported = await http.get(f"{DATASETS}/$export", params={"fields": "name"})
        assert sorted(exported.text.split()) == ["a", "b", "c", "name"]
