"""The contract in files: what is written, what may change, and what may not once released."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from treering.app import load
from treering.app.contract import Contract, contract, drift, release, write
from treering.errors import DeclarationError
from treering.settings import Settings

SERVICE = """
    from treering import Entity, Service

    service = Service(id="rain", version="1.2.3")

    class Station(Entity, version={version}):
        name: str
        {fields}
"""
CREATED = "events/station.created.v1.json"


class Versions:
    """A service whose entity changes from version to version; each is a root of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self.schemas = folder / "schemas"

    def of(self, fields: str, *, version: int = 1, after: str = "") -> Contract:
        """Return the contract of the service with *fields* more, and what stands *after* it."""
        self._count += 1
        root = self._folder / f"version-{self._count}"
        root.mkdir()
        said = dedent(SERVICE).format(fields=fields, version=version)
        (root / "service.py").write_text(said + dedent(after))
        return contract(load(Settings(app=root)), self.schemas)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path)


def test_every_message_and_read_model_has_a_file(versions: Versions) -> None:
    written = write(versions.of(""), versions.schemas)
    wanted = {"asyncapi.json", "commands/station.create.v1.json", CREATED}
    assert wanted | {"read-models/stations.v1.json", "events/config.tagged.v1.json"} <= {*written}
    shape = json.loads((versions.schemas / CREATED).read_text())
    assert (shape["$id"], shape["required"]) == ("station.created.v1", ["name"])


def test_what_was_written_is_up_to_date(versions: Versions) -> None:
    write(versions.of(""), versions.schemas)
    assert drift(versions.of(""), versions.schemas) == []
    assert write(versions.of(""), versions.schemas) == []


def test_a_shape_that_is_not_released_is_written_anew(versions: Versions) -> None:
    write(versions.of(""), versions.schemas)
    changed = versions.of("height: int")
    assert f"{CREATED} is not up to date." in drift(changed, versions.schemas)
    assert CREATED in write(changed, versions.schemas)


def test_what_describes_nothing_any_more_is_removed(versions: Versions) -> None:
    write(versions.of(""), versions.schemas)
    stale = versions.schemas / "events/station.moved.v1.json"
    stale.write_text("{}")
    same = versions.of("")
    assert drift(same, versions.schemas) == [
        "events/station.moved.v1.json describes nothing any more."
    ]
    write(same, versions.schemas)
    assert not stale.exists()


def test_a_field_with_a_default_makes_the_next_revision_of_a_released_shape(
    versions: Versions,
) -> None:
    write(versions.of(""), versions.schemas)
    assert CREATED in release(versions.schemas)
    before = (versions.schemas / CREATED).read_text()
    write(versions.of("height: int = 0"), versions.schemas)
    assert (versions.schemas / CREATED).read_text() == before
    second = json.loads((versions.schemas / "events/station.created.v1.2.json").read_text())
    assert "height" in second["properties"]
    assert drift(versions.of("height: int = 0"), versions.schemas) == []


def test_words_alone_make_no_revision(versions: Versions) -> None:
    write(versions.of(""), versions.schemas)
    release(versions.schemas)
    documented = versions.of('"""A place."""')
    assert CREATED not in documented.files
    assert documented.faults == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("height: int", "has a new field 'height', which must be there"),
        ("tags: list[int] = []", "changed its field 'tags'"),
        ("model_config = {'extra': 'allow'}", "changed its shape"),
    ],
)
def test_an_incompatible_change_of_a_released_shape_is_refused(
    versions: Versions, fields: str, why: str
) -> None:
    write(versions.of(""), versions.schemas)
    release(versions.schemas)
    changed = versions.of(fields)
    wanted = f"station.create.v1 {why}, and was released: give the new shape a new version"
    assert any(fault.startswith(wanted) for fault in drift(changed, versions.schemas))
    with pytest.raises(DeclarationError, match="give the new shape a new version"):
        write(changed, versions.schemas)


def test_a_released_file_that_was_touched_is_noticed(versions: Versions) -> None:
    write(versions.of(""), versions.schemas)
    release(versions.schemas)
    (versions.schemas / CREATED).write_text("{}")
    (versions.schemas / "events/station.deleted.v1.json").unlink()
    said = drift(versions.of(""), versions.schemas)
    assert f"{CREATED} was released and was changed." in said
    assert "events/station.deleted.v1.json was released and is gone." in said


def test_what_is_released_twice_is_noted_once(versions: Versions) -> None:
    write(versions.of(""), versions.schemas)
    release(versions.schemas)
    assert release(versions.schemas) == []


def test_a_read_model_that_loses_a_field_is_the_next_version_by_itself(versions: Versions) -> None:
    write(versions.of("height: int = 0"), versions.schemas)
    release(versions.schemas)
    (versions.schemas / "released.json").write_text(
        json.dumps({
            path: digest
            for path, digest in json.loads((versions.schemas / "released.json").read_text()).items()
            if path.startswith("read-models/")
        })
    )  # fmt: skip
    found = versions.of("")
    assert "read-models/stations.v2.json" in found.files
    assert [change.name for change in found.changes] == ["stations.v1"]
    first, second = (found.schemas.get(f"stations.v{number}") for number in (1, 2))
    assert first is not None
    assert second is not None
    assert (first.deprecated, second.deprecated) == (True, False)


def test_an_older_version_of_a_message_is_deprecated_once_there_is_another(
    versions: Versions,
) -> None:
    write(versions.of(""), versions.schemas)
    release(versions.schemas)
    upcast = 'Station.upcast(1, missing={"height": 0})(dict)'
    now = versions.of("height: int", version=2, after=upcast)
    assert now.faults == []
    old = now.schemas.get("station.create.v1")
    new = now.schemas.get("station.create.v2")
    assert old is not None
    assert new is not None
    assert (old.deprecated, new.deprecated) == (True, False)


def test_a_message_that_says_so_is_deprecated(versions: Versions) -> None:
    close = """
        from treering import Command

        class Close(Command, type="station.close.v1", deprecated=True):
            pass

        Station.command(Close)(lambda _state, _received: [])
    """
    found = versions.of("", after=close)
    shape = found.schemas.get("station.close.v1")
    assert shape is not None
    assert shape.deprecated
