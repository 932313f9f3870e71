"""The configs there are."""

from projections.configs import configs
from treering.domain.config import StoredConfig
from treering.entity import Created, Deleted, Purged, Tagged
from treering.message import Event
from treering.registry import Registry
from treering.testing.given import record

REGISTRY = Registry([StoredConfig.decider()])
CREATED = Created(fields={"tags": [], "name": "weekly", "data": {"n_lags": 3}})


def rows(*events: Event) -> list[dict[str, object]]:
    (found,) = configs.rows(record(REGISTRY, "config/1", events)).values()
    return [dict(row) for row in found]


def test_a_config_is_a_row_with_its_fields() -> None:
    (row,) = rows(CREATED, Tagged(tags=["new"]))
    assert (row["id"], row["name"], row["data"], row["tags"]) == (
        "1",
        "weekly",
        {"n_lags": 3},
        ["new"],
    )


def test_a_deleted_config_stays_and_says_when() -> None:
    (row,) = rows(CREATED, Deleted())
    assert row["deleted_at"] == row["updated_at"]


def test_a_purged_config_is_gone() -> None:
    assert rows(CREATED, Purged()) == []
