"""What is found in the two roots, and what is said when it can not be."""

import linecache
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from treering.app import App, load
from treering.errors import DeclarationError, SettingsError
from treering.settings import Settings

SERVICE = """
    from treering import Entity, Service

    service = Service(id="rain", version="1.2.3")

    class Station(Entity, unique={"name"}):
        name: str
"""


class Root:
    """A user's root, file by file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))

    def load(self, **settings: object) -> App:
        return load(Settings.model_validate({"app": self.folder, **settings}))

    def fails(self) -> str:
        with pytest.raises(DeclarationError) as raised:
            self.load()
        return str(raised.value)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    root = Root(tmp_path)
    root.write("service.py", SERVICE)
    return root


def test_without_a_service_the_kit_serves_its_configs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = load(Settings())
    assert (app.root, app.service.id, app.home) == (None, "treering", tmp_path / ".treering")
    assert [each.name for each in app.projections] == ["configs"]
    assert "config" in app.registry.deciders


def test_a_service_has_its_own_kinds_beside_the_kits(root: Root) -> None:
    app = root.load()
    assert (app.service.id, app.namespace) == ("rain", "rain")
    assert {"config", "station"} <= app.registry.deciders.keys()
    assert {each.name for each in app.projections} == {"configs", "stations"}


def test_a_folder_that_was_named_must_hold_a_service(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"holds no service\.py"):
        load(Settings(app=tmp_path))


def test_rules_in_domain_are_found(root: Root) -> None:
    root.write(
        "domain/transfer.py",
        """
        from treering import Command, Decider, Event

        class Start(Command, type="transfer.start.v1"):
            amount: int

        class Started(Event, type="transfer.started.v1"):
            amount: int

        transfer = Decider(
            kind="transfer",
            initial=0,
            decide=lambda state, received: [Started(amount=received.command.amount)],
            evolve=lambda state, recorded: state + recorded.event.amount,
            commands=[Start],
            events=[Started],
        )
        """,
    )
    root.write("domain/_notes.py", "raise RuntimeError")
    assert "transfer.start.v1" in root.load().registry.commands


def test_an_entity_that_is_imported_elsewhere_counts_once(root: Root) -> None:
    root.write("domain/more.py", "from service import Station")
    assert [each.__name__ for each in root.load().entities].count("Station") == 1


def test_an_entitys_read_model_can_be_written_by_hand(root: Root) -> None:
    root.write(
        "projections/stations.py",
        """
        from service import Station
        from treering import Projection
        stations = Projection.of(Station)
        """,
    )
    names = [each.name for each in root.load().projections]
    assert sorted(names) == ["configs", "stations"]


def test_a_process_that_reads_no_read_models_imports_none(root: Root) -> None:
    root.write("projections/broken.py", "raise RuntimeError")
    app = load(Settings(app=root.folder), projections=False)
    assert list(app.projections) == []


CONFIGS = """
    from treering import Projection
    from treering.domain.config import StoredConfig
    mine = Projection.of(StoredConfig{})
    """


def test_a_leaf_with_a_name_of_the_kits_is_refused(root: Root) -> None:
    root.write("projections/configs.py", CONFIGS.format(""))
    assert 'replaces="configs"' in root.fails()


def test_a_leaf_that_says_so_replaces_one_of_the_kits(root: Root) -> None:
    root.write("projections/configs.py", CONFIGS.format(', replaces="configs"'))
    (configs,) = [each for each in root.load().projections if each.name == "configs"]
    assert configs.replaces == "configs"


def test_only_what_is_there_can_be_replaced(root: Root) -> None:
    root.write(
        "projections/stations.py",
        """
        from service import Station
        from treering import Projection
        stations = Projection.of(Station, replaces="models")
        """,
    )
    assert root.fails() == ("'models' can not be replaced: treering's own read models are configs.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import not_there_at_all", "service.py, line 1: ModuleNotFoundError"),
        ("\n\nclass Broken(:\n", "service.py, line 3: SyntaxError"),
        ("def f():\n    return 1 / 0\nf()\n", "service.py, line 2: ZeroDivisionError"),
        ("raise RuntimeError", "service.py, line 1: RuntimeError"),
        ("from treering import Service\nservice = Service(id='Not good')", "service.py, line 2: S"),
        ("from treering import Service", "service.py declares no Service"),
        (
            "from treering import Service\na = Service(id='a')\nb = Service(id='b')",
            "service.py declares more than one Service",
        ),
    ],
)
def test_a_fault_in_the_users_code_is_shown_with_its_line(root: Root, text: str, said: str) -> None:
    root.write("service.py", text)
    assert root.fails().startswith(said)


def test_the_line_that_failed_is_quoted(root: Root) -> None:
    root.write("domain/a.py", "size = 1\n\nsize.grow()\n")
    assert root.fails().endswith("\n    size.grow()")


def test_two_kinds_can_not_have_one_name(root: Root) -> None:
    root.write(
        "domain/a.py", "from treering import Entity\nclass Other(Entity, kind='station'): ..."
    )
    assert "'station'" in root.fails()


def test_a_package_that_would_hide_the_kits_leaves_is_refused(root: Root) -> None:
    root.write("projections/__init__.py", "")
    assert "projections/__init__.py hides" in root.fails()


def test_one_root_after_another_can_be_loaded(root: Root, tmp_path: Path) -> None:
    root.load()
    other = Root(tmp_path / "other")
    other.write("service.py", SERVICE.replace('"rain"', '"snow"'))
    assert other.load().service.id == "snow"


def test_the_environment_wins_over_the_services_own_settings(root: Root) -> None:
    root.write(
        "service.py",
        """
        from treering import Service, Settings
        service = Service(id="rain", settings=Settings(batch=7, namespace="wet"))
        """,
    )
    app = root.load(namespace="dry")
    assert (app.settings.batch, app.namespace) == (7, "dry")


def test_the_secret_is_read_from_the_home_unless_it_is_said(root: Root, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    assert root.load(home=home).secret() is None
    (home / "secret").write_text("kept\n")
    assert root.load(home=home).secret() == b"kept"
    assert root.load(home=home, secret="said").secret() == b"said"


def test_a_read_model_is_another_one_when_its_older_events_are_read_otherwise(root: Root) -> None:
    def version(upcast: str) -> str:
        root.write(
            "service.py",
            f"""
            from treering import Entity, Service

            service = Service(id="rain")

            class Station(Entity, version=2):
                height: float

            @Station.upcast(1{upcast}
            def from_1(fields):
                return fields
            """,
        )
        (root.folder / "service.py").touch()
        for name in ("service", "projections", "domain"):
            sys.modules.pop(name, None)
        linecache.clearcache()
        (found,) = (each for each in root.load().projections if each.name == "stations")
        return found.version

    first = version(', missing={"height": 1.0})')
    assert first == version(', missing={"height": 1.0})  # a word')
    assert first != version(', missing={"height": 2.0})')
