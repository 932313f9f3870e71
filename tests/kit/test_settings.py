"""Settings: read from the environment and checked at once."""

from pathlib import Path

import pytest

from treering.errors import SettingsError
from treering.settings import Settings


def test_without_any_there_are_defaults_for_a_laptop() -> None:
    settings = Settings.read({"HOME": "/root", "PATH": ""})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.database) == ("127.0.0.1", 8000, None)


def test_they_are_read_by_their_names_in_capitals() -> None:
    settings = Settings.read(
        {"TREERING_POOL_MAX": "3", "TREERING_KAFKA_OPEN": "true", "TREERING_HOME": "/srv/x"}
    )
    assert (settings.pool_max, settings.kafka_open, settings.home) == (3, True, Path("/srv/x"))


def test_port_is_read_too_but_ours_goes_first() -> None:
    assert Settings.read({"PORT": "9000"}).port == 9000
    assert Settings.read({"PORT": "9000", "TREERING_PORT": "9001"}).port == 9001


def test_those_for_tests_are_not_settings() -> None:
    assert Settings.read({"TREERING_TEST_KAFKA": "x"}) == Settings()


def test_every_fault_is_said_at_once() -> None:
    with pytest.raises(SettingsError) as found:
        Settings.read({"TREERING_PORT": "many", "TREERING_NAMESPACE": "Not Kebab"})
    assert "TREERING_PORT: " in str(found.value)
    assert "TREERING_NAMESPACE: " in str(found.value)


def test_an_unknown_name_is_a_fault() -> None:
    with pytest.raises(SettingsError, match=r"no setting \(did you mean TREERING_DATABASE\?"):
        Settings.read({"TREERING_DATABSE": "x"})
    with pytest.raises(SettingsError, match=r"TREERING_XYZ is no setting \(.* lists them"):
        Settings.read({"TREERING_XYZ": "x"})


def test_a_fault_names_what_was_said() -> None:
    with pytest.raises(SettingsError, match=r"^PORT: "):
        Settings.read({"PORT": "abc"})


@pytest.mark.parametrize("namespace", ["lag-model", "a", "m2"])
def test_a_namespace_is_kebab(namespace: str) -> None:
    assert Settings(namespace=namespace).namespace == namespace


@pytest.mark.parametrize("namespace", ["", "2m", "a_b", "a--b", "-a", "a-", "x" * 41, "é"])
def test_what_is_no_namespace_is_refused(namespace: str) -> None:
    with pytest.raises(SettingsError):
        Settings.read({"TREERING_NAMESPACE": namespace})


@pytest.mark.parametrize(
    "namespace", ["rain-read", "public", "information-schema", "pg", "pg-rain"]
)
def test_a_namespace_whose_schema_is_anothers_is_refused(namespace: str) -> None:
    with pytest.raises(SettingsError, match=f"TREERING_NAMESPACE: '{namespace}' would share"):
        Settings.read({"TREERING_NAMESPACE": namespace})


@pytest.mark.parametrize("namespace", ["pgs", "read", "reads", "public-rain", "a-read-b"])
def test_a_namespace_that_only_looks_like_it_is_not(namespace: str) -> None:
    assert Settings(namespace=namespace).namespace == namespace


@pytest.mark.parametrize("hosts", ["example.org", "a,b-c.d", "10.0.0.1,[::1]"])
def test_allowed_hosts_are_names(hosts: str) -> None:
    assert Settings.read({"TREERING_ALLOWED_HOSTS": hosts}).allowed_hosts == hosts


@pytest.mark.parametrize("hosts", ["", "http://example.org", "example.org:80", "a,,b", "a b"])
def test_what_is_no_host_is_refused(hosts: str) -> None:
    with pytest.raises(SettingsError, match="TREERING_ALLOWED_HOSTS"):
        Settings.read({"TREERING_ALLOWED_HOSTS": hosts})


def test_a_secret_is_not_shown() -> None:
    assert "hush" not in repr(Settings(secret="hush"))
