"""Reading an order: `-created_at,+name`, or `created_at:desc,name:asc`."""

from collections.abc import Sequence

from treering.entity.validation import fault
from treering.query.options import Nulls, SortSpec
from treering.query.shape import Loc, Shape, Unfit

_LOC: Loc = ("query", "sort")
_NULLS: dict[str, Nulls] = {"nulls_first": "first", "nulls_last": "last"}


def read_sort(text: str, shape: Shape) -> Sequence[SortSpec]:
    """Return the order that *text* says; raises Unfit.

    A plus in an address arrives as a space. `:nulls_first` and `:nulls_last` may follow a field.
    """
    steps = [_step(each, shape) for each in text.split(",")]
    names = [each.field for each in steps]
    if twice := next((each for each in names if names.count(each) > 1), None):
        raise Unfit(fault(_LOC, "said_twice", f"Sorts by {twice} more than once", text))
    if len(steps) > (most := shape.limits.sorts):
        raise Unfit(fault(_LOC, "too_many", f"An order has at most {most} fields", text))
    return steps


def _step(said: str, shape: Shape) -> SortSpec:
    name, *words = said.split(":")
    sign, name = (name[:1], name[1:]) if name[:1] in ("+", "-", " ") else ("", name)
    directions, nulls = {sign.replace(" ", "")} - {""}, None
    for word in (each.strip().lower() for each in words):
        if word in ("asc", "desc"):
            directions.add("-" if word == "desc" else "+")
        elif word in _NULLS and nulls is None:
            nulls = _NULLS[word]
        else:
            text = "After a field comes :asc or :desc, :nulls_first or :nulls_last"
            raise Unfit(fault(_LOC, "wrong_parameter", text, said))
    if len(directions) > 1:
        raise Unfit(fault(_LOC, "wrong_parameter", "Goes up and down at once", said))
    return shape.sort(_LOC, name.strip(), descending=directions == {"-"}, nulls=nulls)
