"""Commands beside a service that runs: the example's, on real servers."""

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.cli.conftest import Treering
from treering.bus import Topics, dead_list
from treering.bus.kafka import new_producer, started

pytestmark = pytest.mark.usefixtures("rainfall")


def test_a_command_is_answered_with_its_outcome(treering: Treering) -> None:
    said = treering("command", "tank.build", "capacity=100", "--subject", "tank/first")
    assert said.status == 0
    assert said.json["outcome"] == "accepted"
    assert said.json["entity"] == {"id": "first", "capacity": 100, "litres": 0}
    shown = treering("commands", "show", said.json["command"])
    assert (shown.status, shown.json) == (0, said.json)


def test_values_are_text_where_the_field_is_and_json_elsewhere(treering: Treering) -> None:
    said = treering("command", "station.create.v1", "name=1", "height=12.5", "closed=true")
    entity = said.json["entity"]
    assert (entity["name"], entity["height"], entity["closed"]) == ("1", 12.5, True)
    said = treering("command", "config.create.v1", "name=a", "data.lags.most=3")
    assert said.json["entity"]["data"] == {"lags": {"most": 3}}


def test_a_refused_command_ends_with_two(treering: Treering) -> None:
    said = treering("command", "tank.fill.v1", "litres=1", "--subject", "tank/moon")
    assert said.status == 2
    assert said.json["problem"]["detail"] == "tank/moon does not exist."


def test_the_same_id_is_the_same_command(treering: Treering) -> None:
    words = ("command", "station.create", "name=twice", "--id", "cli-twice")
    assert treering(*words).json == treering(*words).json


def test_a_command_for_another_version_is_refused(treering: Treering) -> None:
    words = ("tank.build", "capacity=1", "--subject", "tank/new", "--expected", "3")
    said = treering("command", *words)
    assert (said.status, said.json["problem"]["status"]) == (2, 412)


def test_a_command_without_an_outcome_in_time_ends_with_three(treering: Treering) -> None:
    said = treering("command", "station.create", "name=late", "--timeout", "0.000001")
    assert said.status == 3
    assert "treering commands show" in said.err


async def _spoil(kafka: str, id: str) -> None:
    """Send what nobody can read, until somebody has said so."""
    async with started(new_producer(kafka)) as producer:
        headers = [("ce_type", b"tank.fill.v1"), ("ce_id", id.encode())]
        key = b"tank/first"
        await (await producer.send("rainfall.commands", b"no JSON", key, headers=headers))
    async with asyncio.timeout(30):
        while not any(each.command == id for each in await dead_list(kafka, Topics("rainfall"))):
            await asyncio.sleep(0.05)


def test_a_dead_letter_is_listed_shown_and_sent_back(treering: Treering) -> None:
    asyncio.run(_spoil(treering("status", "--json").json["kafka"], "spoilt-1"))
    (letter,) = treering("dead", "list", "--json").json
    assert (letter["command"], letter["type"]) == ("spoilt-1", "tank.fill.v1")
    assert letter["reason"] in " ".join(treering("dead", "list").lines)
    shown = treering("dead", "show", letter["name"]).json
    assert (shown["body"], shown["headers"]["ce_id"]) == ("no JSON", "spoilt-1")
    asked = treering("commands", "show", "spoilt-1")
    assert (asked.status, asked.json["dead"]) == (3, True)
    sent = treering("dead", "redrive", letter["name"])
    assert sent.out.strip() == f"{letter['name']} went back as command spoilt-1."
    assert "Name dead letters, or say --all." in treering("dead", "redrive").err


def test_a_dead_letter_whose_command_was_decided_is_settled(treering: Treering) -> None:
    asyncio.run(_spoil(treering("status", "--json").json["kafka"], "spoilt-2"))
    letters = treering("dead", "list", "--json").json
    (name,) = (each["name"] for each in letters if each["command"] == "spoilt-2")
    done = treering("command", "station.create", "name=mended", "--id", "spoilt-2")
    assert done.json["outcome"] == "accepted"
    assert name not in [each["name"] for each in treering("dead", "list", "--json").json]
    assert "accepted" in treering("dead", "list", "--settled").out
    listed = treering("dead", "list", "--settled", "--json").json
    assert [each["settled"] for each in listed if each["name"] == name] == ["accepted"]
    refused = treering("dead", "redrive", name)
    assert f"The dead letter {name} is settled (accepted)" in refused.err


async def _say_too_new(kafka: str, id: str) -> None:
    """Send what only a newer release understands."""
    headers = [("ce_id", id.encode()), ("ce_type", b"tank.build.v9")]
    async with started(new_producer(kafka)) as producer:
        await (await producer.send("rainfall.commands", b"{}", b"tank/a", headers=headers))


def test_what_waits_for_a_newer_handler_is_listed(treering: Treering) -> None:
    assert treering("commands", "parked").out == "No command waits for a newer handler.\n"
    asyncio.run(_say_too_new(treering("status", "--json").json["kafka"], "too-new"))
    deadline = time.monotonic() + 20
    while not (found := treering("commands", "parked", "--json").json):
        assert time.monotonic() < deadline
    assert [(each["type"], each["revision"], each["waiting"]) for each in found] == [
        ("tank.build.v9", 1, 1)
    ]
    assert "tank.build.v9 1 1 20" in treering("commands", "parked").lines[1]
    assert treering("commands", "show", "too-new").json["outcome"] == "parked"


def test_one_that_was_never_sent_is_pending(treering: Treering) -> None:
    said = treering("commands", "show", "never-sent")
    assert (said.status, said.json) == (3, {"command": "never-sent", "outcome": "pending"})


def test_events_are_shown_by_stream_and_by_position(treering: Treering) -> None:
    said = treering("command", "station.create", "name=seen").json
    (event,) = treering("events", "show", said["stream"]).json
    assert (event["type"], event["causation"]) == ("station.created.v1", said["command"])
    assert event["body"]["name"] == "seen"
    assert treering("events", "show", str(event["position"])).json == event
    assert said["stream"] in treering("events", "tail", "--last", "1").out
    assert treering("events", "tail", "--last", "1", "--json").json == event


def test_an_event_that_is_not_there_is_not_shown(treering: Treering) -> None:
    assert "no event of position 999999" in treering("events", "show", "999999").err


def test_the_status_says_where_and_how_far(treering: Treering, rainfall: Path) -> None:
    said = treering("status", "--json")
    assert said.status == 0
    status = said.json
    assert status["http"].startswith("http://127.0.0.1:")
    assert status["kafka"].startswith("127.0.0.1:")
    assert status["database"].startswith("postgresql://")
    assert status["roles"]["gateway"] == {"state": "healthy"}
    assert status["roles"]["projector"]["read_models"].keys() >= {"stations", "tanks", "configs"}
    assert status["sizes"]["postgres"] > 1_000_000
    assert (rainfall / ".treering/secret").stat().st_mode & 0o777 == 0o600
    assert "read model tanks live, 0 events behind" in treering("status").lines


@pytest.mark.parametrize("words", [("db", "upgrade"), ("destroy", "another", "--yes")])
def test_who_names_another_database_works_nowhere_else(
    treering: Treering, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TREERING_DATABASE", "postgresql://nobody@127.0.0.1:1/other")
    monkeypatch.setenv("TREERING_KAFKA", "127.0.0.1:1")
    said = treering(*words)
    assert said.status == 1
    assert said.err.startswith(
        "Note: The treering dev that runs here is elsewhere than TREERING_KAFKA and "
        "TREERING_DATABASE, so that none of its addresses is used. Error: PostgreSQL did not answer"
    )


def test_the_status_of_another_place_is_not_that_of_what_runs_here(
    treering: Treering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TREERING_KAFKA", "127.0.0.1:1")
    said = treering("status", "--json")
    assert said.status == 1
    assert (said.json["running"], said.json["http"], said.json["database"]) == (False, None, None)
    assert said.json["error"].startswith("No database is named")


def test_a_second_dev_says_which_one_runs(treering: Treering, rainfall: Path) -> None:
    running = treering("status", "--json").json
    said = treering("dev")
    assert said.status == 1
    assert f"treering dev runs in {rainfall} already: process" in said.err
    assert f"serves on {running['http']}" in said.err


def test_a_read_model_is_built_anew(treering: Treering) -> None:
    treering("command", "tank.build", "capacity=5", "--subject", "tank/built")
    before = {each["name"]: each for each in treering("projections", "status", "--json").json}
    assert treering("projections", "rebuild", "tanks").status == 0
    after = {each["name"]: each for each in treering("projections", "status", "--json").json}
    assert after["tanks"]["build"] == before["tanks"]["build"] + 1
    said = treering("projections", "rebuild", "tank")
    assert (said.status, "did you mean 'tanks'" in said.err) == (2, True)


def test_a_rebuild_that_differs_is_taken_up_only_when_it_is_accepted(treering: Treering) -> None:
    treering("command", "station.create", "name=spoilt")
    asyncio.run(_spoil_a_row(treering("status", "--json").json["database"]))
    said = treering("projections", "rebuild", "stations")
    assert said.status == 1
    assert "It differs from what there was: 1 row of stations, such as id=" in said.out
    assert "stations stays as it is" in said.err
    assert treering("projections", "rebuild", "stations", "--accept").status == 0
    assert treering("projections", "rebuild", "stations").status == 0


async def _spoil_a_row(database: str) -> None:
    """Change a row of a read model behind everybody's back."""
    connection = await asyncpg.connect(database)
    sql = "update rainfall_read.stations set name = 'another' where name = 'spoilt'"
    async with asyncio.timeout(30):
        while await connection.execute(sql) != "UPDATE 1":
            await asyncio.sleep(0.05)
    await connection.close()


def test_what_serves_need_not_be_accepted_and_nothing_is_pruned(treering: Treering) -> None:
    said = treering("projections", "accept", "tanks")
    assert (said.status, "tanks serves already" in said.err) == (1, True)
    assert treering("projections", "prune").lines == ["There is nothing to drop."]


def test_status_shows_all_builds_and_which_one_the_view_shows(treering: Treering) -> None:
    found = {each["name"]: each for each in treering("projections", "status", "--json").json}
    everything = treering("projections", "status", "--all", "--json").json
    assert {(each["name"], each["build"]) for each in everything} == {
        (name, each["build"]) for name, each in found.items()
    }
    assert all(each["is_shown"] for each in everything)
    lines = treering("projections", "status", "--all").lines
    assert lines[0].endswith("reason version in the view")
    assert all(line.endswith(" yes") for line in lines[1:])


def _until(treering: Treering, state: str) -> None:
    """Wait until the read model of names, and with it the service, is in *state*."""
    deadline = time.monotonic() + 30
    while _names(treering)["state"] != state:
        assert time.monotonic() < deadline, _names(treering)


def _names(treering: Treering) -> dict[str, Any]:
    states = treering("projections", "status", "--json").json
    return next(each for each in states if each["name"] == "names")


def test_only_the_event_that_stops_a_read_model_is_skipped(treering: Treering) -> None:
    made = treering("command", "station.create", "name=nameless").json
    (position, _) = made["positions"]
    _until(treering, "stopped")
    shown = treering("projections", "status").lines
    assert any(f" {position} AssertionError: it has no name" in line for line in shown)
    before = treering("projections", "skip", "names", str(position - 1))
    assert before.status == 2
    assert f"names has stopped at position {position}, so it does not pass over" in before.err
    words = ("projections", "skip", "names", str(position))
    assert treering(*words, "--reason", "a test").status == 0
    _until(treering, "live")
    again = treering(*words)
    assert (again.status, again.out.strip()) == (0, f"names passes over position {position}.")


def test_a_read_model_that_has_not_stopped_passes_over_nothing(treering: Treering) -> None:
    said = treering("projections", "skip", "tanks", "1")
    assert said.status == 2
    assert "tanks has not stopped, so it does not pass over" in said.err


def test_the_relay_says_how_far_it_is_and_is_not_disturbed(treering: Treering) -> None:
    status = treering("relay", "status", "--json").json
    assert status["lag"] == status["head"] - status["position"]
    said = treering("relay", "republish", "--from", "1", "--to-topic", "once-more")
    assert said.out.strip().endswith("events were sent to once-more.")


def test_the_database_is_at_the_revision_that_is_needed(treering: Treering) -> None:
    current = treering("db", "current").out
    assert treering("db", "upgrade").out.strip() == f"rainfall is at revision {current.strip()}."


def test_the_store_is_not_taken_down_under_the_service(treering: Treering) -> None:
    said = treering("db", "downgrade", "--yes")
    assert said.status == 1
    assert "Processes of 'rainfall' run" in said.err


def test_the_doctor_finds_all_well(treering: Treering) -> None:
    said = treering("doctor")
    assert said.status == 0
    assert said.out.startswith("ok positions are gapless") or "ok    positions" in said.out


def test_rows_are_asked_for_as_over_http(treering: Treering) -> None:
    for number in (1, 2, 3):
        words = (f"name=asked {number}", f"height={number}")
        assert treering("command", "station.create", *words).status == 0
    condition = ("--where", "name[starts_with]=asked", "--sort", "-height")
    found = treering("query", "stations", *condition, "--limit", "2", "--json")
    assert [row["name"] for row in found.json] == ["asked 3", "asked 2"]
    shown = treering("query", "stations", *condition, "--limit", "2", "--fields", "name")
    assert shown.out.split("\n")[1].strip() == "asked 3"
    assert "2 of 3 rows" in shown.out
    lines = treering("query", "stations", *condition, "--fields", "name", "--csv").out
    assert lines.split() == ["name", "asked", "3", "asked", "2", "asked", "1"]


def test_a_question_that_does_not_fit_says_why(treering: Treering) -> None:
    said = treering("query", "stations", "--where", "nam=x")
    assert said.status == 1
    assert "did you mean 'name'" in said.err
    assert "is no condition" in treering("query", "stations", "--where", "name").err
    assert "There is no read model" in treering("query", "nothing").err
