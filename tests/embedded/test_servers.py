"""Both servers of a folder: started, reached, found running, refused twice, stopped."""

import os
from pathlib import Path

import psutil
import pytest

from tests.embedded.clients import Topic, ask, until
from treering.embedded import Progress, ServerOptions, Servers, ports, running
from treering.errors import ServerError


def test_a_client_of_each_server_is_served(servers: Servers) -> None:
    topic = Topic(servers.addresses.kafka, "served")
    topic.make()
    topic.produce("one", "two")
    assert topic.consume(2) == ["one", "two"]
    assert ask(servers.addresses.database, "select current_user::text") == "postgres"


def test_both_servers_run_without_a_java_or_a_postgresql_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with Servers(tmp_path / "state") as servers:
        programs = {psutil.Process(pid).exe() for pid in servers.pids.values()}
    assert all("site-packages" in program for program in programs)


def test_postgresql_is_durable_and_sorts_alike_everywhere(servers: Servers) -> None:
    def shown(setting: str) -> object:
        return ask(servers.addresses.database, f"show {setting}")

    assert [shown(name) for name in ("fsync", "synchronous_commit", "full_page_writes")] == [
        "on",
        "on",
        "on",
    ]
    assert [shown(name) for name in ("server_encoding", "max_wal_size")] == ["UTF8", "256MB"]
    assert ask(servers.addresses.database, "select 'B' < 'a'")


def test_nobody_outside_of_this_machine_reaches_a_server(servers: Servers, folder: Path) -> None:
    listening = [
        connection.laddr.ip.removeprefix("::ffff:")
        for pid in servers.pids.values()
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}
    assert len(listening) == 2
    assert {path.stat().st_mode & 0o777 for path in (folder / "run", folder / "kafka")} == {0o700}


def test_two_folders_run_side_by_side(servers: Servers, tmp_path: Path) -> None:
    with Servers(tmp_path / "other") as others:
        assert others.addresses.kafka != servers.addresses.kafka
        assert others.addresses.database != servers.addresses.database
        ask(others.addresses.database, "create table only_here()")
        assert ask(servers.addresses.database, "select to_regclass('only_here')") is None


def test_a_second_start_in_a_folder_says_who_runs_it(servers: Servers, folder: Path) -> None:
    with pytest.raises(ServerError, match=f"process {os.getpid()} runs its servers"):
        Servers(folder).start()
    assert servers.dead() is None


def test_what_runs_in_a_folder_can_be_found(servers: Servers, folder: Path) -> None:
    found = running(folder)
    assert found
    assert (found.pid, found.addresses) == (os.getpid(), servers.addresses)


def test_nothing_runs_in_a_folder_whose_servers_have_stopped(tmp_path: Path) -> None:
    servers = Servers(tmp_path)
    servers.start()
    pids = servers.pids.values()
    servers.stop()
    servers.stop()
    assert running(tmp_path) is None
    assert running(tmp_path / "never") is None
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_what_was_written_is_there_after_a_stop_and_at_the_same_port(tmp_path: Path) -> None:
    with Servers(tmp_path) as servers:
        before = servers.addresses
        topic = Topic(before.kafka, "kept")
        topic.make()
        topic.produce("one")
        ask(before.database, "create table kept()")
    with Servers(tmp_path) as servers:
        assert servers.addresses == before
        assert topic.consume(1) == ["one"]
        assert ask(before.database, "select count(*) from kept") == 0


def test_servers_that_are_already_there_are_used_as_they_are(tmp_path: Path) -> None:
    options = ServerOptions(kafka="kafka.example:9092", database="postgresql://db.example/x")
    with Servers(tmp_path, options) as servers:
        assert servers.addresses.kafka == "kafka.example:9092"
        assert servers.addresses.database == "postgresql://db.example/x"
        assert servers.pids == {}
        assert servers.dead() is None


def test_kafka_listens_where_it_is_told(tmp_path: Path, servers: Servers) -> None:
    taken = int(servers.addresses.kafka.rpartition(":")[2])
    options = ServerOptions(database="postgresql://db.example/x", kafka_port=taken)
    with pytest.raises(ServerError, match=f"Port {taken} is taken"):
        Servers(tmp_path, options).start()
    assert running(tmp_path) is None


@pytest.mark.parametrize("name", ["with spaces and ümläuts", "/".join(["a-very-long-name"] * 20)])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    with Servers(tmp_path / name / ".treering") as servers:
        assert ask(servers.addresses.database, "select 1") == 1
        topic = Topic(servers.addresses.kafka, "anywhere")
        topic.make()
        topic.produce("one")
        assert topic.consume(1) == ["one"]
    assert servers.sizes()["postgres"] > 1 << 20
    assert servers.sizes()["kafka"] > 0


def test_no_socket_is_left_outside_of_a_folder_with_a_long_path(tmp_path: Path) -> None:
    options = ServerOptions(kafka="kafka.example:9092")
    with Servers(tmp_path / ("x" * 100), options) as servers:
        socket = Path(servers.addresses.database.partition("host=")[2].partition("&")[0])
        assert socket.stat().st_mode & 0o777 == 0o700
    assert not socket.exists()


def test_the_data_of_another_postgresql_is_refused(tmp_path: Path) -> None:
    options = ServerOptions(kafka="kafka.example:9092")
    with Servers(tmp_path, options):
        pass
    (tmp_path / "postgres" / "PG_VERSION").write_text("14\n")
    with pytest.raises(ServerError, match=r"of PostgreSQL 14, and this is .* move the folder away"):
        Servers(tmp_path, options).start()


def test_the_data_of_another_kafka_is_refused(tmp_path: Path) -> None:
    options = ServerOptions(database="postgresql://db.example/x")
    with Servers(tmp_path, options):
        pass
    (tmp_path / "kafka" / "data" / "release").write_text("3.9.0\n")
    with pytest.raises(ServerError, match=r"of Kafka 3\.9\.0, and this is .* move the folder away"):
        Servers(tmp_path, options).start()


def test_a_server_that_can_not_be_started_shows_the_end_of_its_log(tmp_path: Path) -> None:
    options = ServerOptions(kafka="kafka.example:9092")
    with Servers(tmp_path, options):
        pass
    (tmp_path / "postgres" / "postgresql.conf").write_text("nonsense = 1\n")
    with pytest.raises(ServerError, match='unrecognized configuration parameter "nonsense"'):
        Servers(tmp_path, options).start()


def test_when_one_server_can_not_be_started_the_other_does_not_stay(tmp_path: Path) -> None:
    with Servers(tmp_path):
        pass
    (tmp_path / "kafka" / "data" / "meta.properties").write_text("version=1\n")
    servers = Servers(tmp_path)
    with pytest.raises(ServerError, match="Kafka could not be started"):
        servers.start()
    assert servers.pids == {}
    until(lambda: not (tmp_path / "postgres" / "postmaster.pid").exists())


def test_a_start_can_be_given_up_while_it_goes_on(tmp_path: Path) -> None:
    def give_up(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Servers(tmp_path, report=give_up).start()
    assert running(tmp_path) is None
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


def test_a_port_that_is_taken_in_the_last_moment_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, servers: Servers
) -> None:
    taken = int(servers.addresses.kafka.rpartition(":")[2])
    free, chosen = ports.free, [taken]

    def choose(preferred: int | None = None, *, but: int | None = None) -> int:
        return chosen.pop() if chosen else free(preferred, but=but)

    monkeypatch.setattr(ports, "free", choose)
    with Servers(tmp_path, ServerOptions(database="postgresql://db.example/x")) as others:
        assert not chosen
        assert others.addresses.kafka != servers.addresses.kafka
