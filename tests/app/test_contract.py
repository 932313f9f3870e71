"""The contract in files: what is written, what may change, and what may not once released."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from treering.app import load
from treering.app.comparison import schemas_of
from treering.app.contract import Contract, contract, drift, release, unreleased, write
from treering.app.skeleton import skeletons, verdicts
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
        self.app = load(Settings(app=root))
        return contract(self.app, self.schemas)

    def release(self, fields: str, *, version: int = 1, after: str = "") -> None:
        """Write and release that contract."""
        write(self.of(fields, version=version, after=after), self.schemas)
        release(self.of(fields, version=version, after=after), self.schemas)


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
    stale.write_text('{"$id": "station.moved.v1"}')
    same = versions.of("")
    assert drift(same, versions.schemas) == [
        "events/station.moved.v1.json describes nothing any more."
    ]
    write(same, versions.schemas)
    assert not stale.exists()


def test_a_field_with_a_default_makes_the_next_revision_of_a_released_shape(
    versions: Versions,
) -> None:
    versions.release("")
    before = (versions.schemas / CREATED).read_text()
    write(versions.of("height: int = 0"), versions.schemas)
    assert (versions.schemas / CREATED).read_text() == before
    second = json.loads((versions.schemas / "events/station.created.v1.2.json").read_text())
    assert "height" in second["properties"]
    assert drift(versions.of("height: int = 0"), versions.schemas) == []


def test_words_alone_make_no_revision(versions: Versions) -> None:
    versions.release("")
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
    versions.release("")
    changed = versions.of(fields)
    wanted = f"station.create.v1 {why}, and was released: give the new shape a new version"
    assert any(fault.startswith(wanted) for fault in drift(changed, versions.schemas))
    with pytest.raises(DeclarationError, match="give the new shape a new version"):
        write(changed, versions.schemas)


def test_a_released_file_that_was_touched_is_noticed(versions: Versions) -> None:
    versions.release("")
    (versions.schemas / CREATED).write_text("{}")
    (versions.schemas / "events/station.deleted.v1.json").unlink()
    said = drift(versions.of(""), versions.schemas)
    assert f"{CREATED} was released and was changed." in said
    assert "events/station.deleted.v1.json was released and is gone." in said


def test_what_is_released_twice_is_noted_once(versions: Versions) -> None:
    write(versions.of(""), versions.schemas)
    assert CREATED in release(versions.of(""), versions.schemas)
    assert release(versions.of(""), versions.schemas) == []


def test_a_read_model_that_loses_a_field_is_the_next_version_by_itself(versions: Versions) -> None:
    versions.release("height: int = 0")
    (versions.schemas / "released.json").write_text(
        json.dumps({
            path: digest
            for path, digest in json.loads((versions.schemas / "released.json").read_text()).items()
            if path.startswith("read-models/")
        })
    )  # fmt: skip
    found = versions.of("")
    assert "read-models/stations.v2.json" in found.files
    assert [change.name for change in found.compared.changes] == ["stations.v1"]
    first, second = (found.compared.schemas.get(f"stations.v{number}") for number in (1, 2))
    assert first is not None
    assert second is not None
    assert (first.deprecated, second.deprecated) == (True, False)


def test_an_older_version_of_a_message_is_deprecated_once_there_is_another(
    versions: Versions,
) -> None:
    versions.release("")
    upcast = 'Station.upcast(1, missing={"height": 0})(dict)'
    now = versions.of("height: int", version=2, after=upcast)
    assert now.faults == []
    old = now.compared.schemas.get("station.create.v1")
    new = now.compared.schemas.get("station.create.v2")
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
    shape = found.compared.schemas.get("station.close.v1")
    assert shape is not None
    assert shape.deprecated


def test_a_read_model_in_its_next_version_is_no_change_once_that_is_released(
    versions: Versions,
) -> None:
    versions.release("", after=BESIDE.format(columns='Column("height", Text)'))
    after = BESIDE.format(columns="")
    versions.release("", after=after)
    found = versions.of("", after=after)
    assert (found.compared.changes, unreleased(versions.schemas)) == ([], [])
    newest = found.compared.schemas.get("heights.v2")
    assert newest is not None
    assert (newest.deprecated, newest.schema_json["$id"]) == (False, "heights.v2")
    versions.release("", after=BESIDE.format(columns='Column("depth", Text)'))
    assert (versions.schemas / "read-models/heights.v2.2.json").exists()
    versions.release("", after=BESIDE.format(columns='Column("height", Text)'))
    assert (versions.schemas / "read-models/heights.v3.json").exists()


BESIDE = """
    from sqlalchemy import Column, MetaData, Table, Text
    from treering.projection import projection

    table = Table("heights", MetaData(), Column("id", Text, primary_key=True), {columns})

    @projection("heights", tables=[table], kinds={{"station"}})
    def heights(recorded):
        return ()
"""


def test_a_service_that_contradicts_what_was_released_does_not_start(versions: Versions) -> None:
    versions.release("")
    (versions.app.root or Path()).joinpath("schemas").symlink_to(versions.schemas)
    assert schemas_of(versions.app).revision("station.create.v1") == 1
    (versions.schemas / CREATED).write_text("{}")
    with pytest.raises(DeclarationError, match=f"{CREATED} was released and was changed"):
        schemas_of(versions.app)


def test_a_revision_has_the_number_of_its_file(versions: Versions) -> None:
    versions.release("")
    versions.release("height: int = 0")
    (versions.schemas / CREATED).unlink()
    found = versions.of("height: int = 0")
    assert found.faults == [f"{CREATED} was released and is gone."]
    assert found.compared.schemas.revision("station.created.v1") == 2


def test_a_kind_that_was_released_does_not_go_unnoticed(versions: Versions) -> None:
    versions.release("", after="class Tank(Entity): ...")
    (fault,) = versions.of("", after="class Basin(Entity): ...").faults
    assert "The kind 'tank' was released and is declared no more" in fault
    assert 'say kind="tank" there' in fault
    assert versions.of("", after='class Basin(Entity, kind="tank"): ...').faults == []


CLOSE = """
    from treering import Command

    class Close(Command, type="station.close.v1"{options}):
        {fields}

    Station.command(Close)(lambda _state, _received: [])
"""


def test_a_released_command_goes_once_a_release_has_deprecated_it(versions: Versions) -> None:
    versions.release("", after=CLOSE.format(options="", fields="pass"))
    (fault,) = versions.of("").faults
    assert fault.startswith("station.close.v1 was released and is declared no more")
    old = CLOSE.format(options=", deprecated=True", fields="pass")
    (change,) = versions.of("", after=old).compared.changes
    assert [*verdicts([change])] == [
        "station.close.v1 is deprecated: compatible, so its version stays."
    ]
    versions.release("", after=old)
    shape = versions.of("", after=old).compared.schemas.get("station.close.v1")
    assert shape is not None
    assert (shape.deprecated, shape.version) == (True, 2)
    assert versions.of("").faults == []


def test_a_released_event_never_goes_unread(versions: Versions) -> None:
    versions.release("")
    upcast = 'Station.upcast(1, missing={"height": 0})(dict)'
    versions.release("height: int", version=2, after=upcast)
    found = versions.of("")
    assert any(fault.startswith("station.created.v2 was released and is") for fault in found.faults)


def test_what_somebody_else_has_put_there_stays(versions: Versions) -> None:
    write(versions.of(""), versions.schemas)
    for path in ("notes/mine.json", "events/mine.json", "commands/mine.v1.json"):
        (versions.schemas / path).parent.mkdir(exist_ok=True)
        (versions.schemas / path).write_text('{"mine": 1}')
    assert drift(versions.of(""), versions.schemas) == []
    assert write(versions.of(""), versions.schemas) == []
    assert "notes/mine.json" not in release(versions.of(""), versions.schemas)


def test_what_was_released_and_is_no_revision_means_nothing(versions: Versions) -> None:
    versions.release("")
    noted = json.loads((versions.schemas / "released.json").read_text())
    (versions.schemas / "released.json").write_text(json.dumps({**noted, "notes/mine.json": ""}))
    assert drift(versions.of(""), versions.schemas) == []


def test_what_is_not_up_to_date_is_not_released(versions: Versions) -> None:
    write(versions.of(""), versions.schemas)
    with pytest.raises(
        DeclarationError, match=r"would never change again\..*created\.v1\.json is not"
    ):
        release(versions.of("height: int"), versions.schemas)
    assert CREATED in unreleased(versions.schemas)


def test_a_further_command_wants_another_one_beside_it(versions: Versions) -> None:
    versions.release("", after=CLOSE.format(options="", fields="why: str"))
    found = versions.of("height: int", after=CLOSE.format(options="", fields="reason: str"))
    entity, command = skeletons(versions.app, found.compared.changes)
    assert "class Station(Entity, version=2):" in entity
    assert 'class Close2(Command, type="station.close.v2"):' in command
    assert "@Station.command(Close2)" in command
