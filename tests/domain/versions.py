"""One entity in four releases: a field was added, then one renamed, then one split in two."""

from treering.entity import Entity, Fields, renamed


class First(Entity, kind="person", plural="first"):
    name: str
    age: int = 0


class Second(Entity, kind="person", plural="second"):
    """A new field with a default: the version stays."""

    name: str
    age: int = 0
    unit: str = "years"


class Third(Entity, kind="person", plural="third", version=2):
    """`name` is `title`."""

    title: str
    age: int = 0
    unit: str = "years"


@Third.upcast(1)
def third_from_1(fields: Fields) -> Fields:
    """Read fields as they were called before."""
    return renamed(fields, name="title")


class Fourth(Entity, kind="person", plural="fourth", version=3):
    """`title` is split into `given` and `family`, `age` is gone, and `role` must be said."""

    given: str
    family: str | None
    unit: str = "years"
    role: str


@Fourth.upcast(1)
def fourth_from_1(fields: Fields) -> Fields:
    """Read fields as they were called before."""
    return third_from_1(fields)


@Fourth.upcast(2, missing={"role": "guest"})
def fourth_from_2(fields: Fields) -> Fields:
    """Split the title at its last blank."""
    new = {name: value for name, value in fields.items() if name not in ("title", "age")}
    if "title" in fields:
        given, _, family = (fields["title"] or "").rpartition(" ")
        new |= {"given": given or family, "family": family if given else None}
    return new
