"""Errors as problems that clients get."""

from treering.errors import DeadLetter, InvalidBody, NotFound, ProjectionStopped, TreeringError


def test_a_refusal_is_a_problem() -> None:
    assert NotFound("dataset/1 does not exist.").problem() == {
        "type": "urn:treering:error:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "dataset/1 does not exist.",
    }


def test_an_invalid_body_lists_its_faults() -> None:
    problem = InvalidBody("rows: no.", [{"path": "rows"}]).problem()
    assert (problem["status"], problem["errors"]) == (422, [{"path": "rows"}])


def test_a_dead_letter_is_a_problem_too() -> None:
    assert DeadLetter("not-json", "It is no JSON.").problem() == {
        "type": "urn:treering:error:not-json",
        "title": "Not json",
        "status": 400,
        "detail": "It is no JSON.",
    }


def test_a_stopped_projection_names_the_position() -> None:
    stopped = ProjectionStopped("configs", 7, "no such field")
    assert isinstance(stopped, TreeringError)
    assert str(stopped) == "configs stopped at position 7: no such field"
    assert (stopped.projection, stopped.position, stopped.reason) == ("configs", 7, "no such field")
