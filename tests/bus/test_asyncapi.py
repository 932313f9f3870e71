"""The wire in AsyncAPI."""

from collections.abc import Iterator
from typing import Any, cast

import msgspec
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from tests.bus.kinds import REGISTRY
from treering.bus import asyncapi

DOCUMENT = asyncapi(REGISTRY, namespace="trees", title="Trees", version="1.2.3", description="All.")


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, each in cast("dict[str, Any]", node).items():
            if key == "$ref":
                yield each
            else:
                yield from references(each)
    elif isinstance(node, list):
        for each in cast("list[Any]", node):
            yield from references(each)


def test_every_type_is_described_with_its_schema() -> None:
    parts = DOCUMENT["components"]
    for name in [*REGISTRY.commands, *REGISTRY.events, "outcome.v1"]:
        assert parts["messages"][name]["payload"] == {"$ref": f"#/components/schemas/{name}"}
        assert name in parts["schemas"]
    create = parts["schemas"]["dataset.create.v1"]
    assert create["required"] == ["name"]
    assert create["properties"]["rows"]["type"] == "integer"


def test_every_topic_is_a_channel_with_its_messages() -> None:
    channels = DOCUMENT["channels"]
    assert {channel["address"] for channel in channels.values()} == {
        "trees.commands", "trees.outcomes", "trees.dead", "trees.events.config",
        "trees.events.dataset",
    }  # fmt: skip
    assert channels["commands"]["messages"].keys() == REGISTRY.commands.keys()
    events = channels["events.dataset"]["messages"].keys()
    assert events == {name for name in REGISTRY.events if name.startswith("dataset.")}
    assert DOCUMENT["operations"]["receiveCommand"]["action"] == "receive"
    assert DOCUMENT["operations"]["sendEventsDataset"]["action"] == "send"


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert found
    for reference in found:
        assert reference.startswith("#/")
        node: Any = DOCUMENT
        for part in reference[2:].split("/"):
            node = node[part]


def test_the_document_is_plain_json_of_version_three() -> None:
    again = msgspec.json.decode(msgspec.json.encode(DOCUMENT))
    assert set(references(again)) == set(references(DOCUMENT))
    read = ApplicationSchema.model_validate(again)
    assert (read.asyncapi, read.info.title, read.info.version) == ("3.0.0", "Trees", "1.2.3")
