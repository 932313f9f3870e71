"""What a projection is: a name, tables, and a pure function from an event to changes of rows."""

import re
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import ARRAY, Enum, Table

from treering.entity import Entity
from treering.errors import DeclarationError
from treering.message import Erased, Recorded
from treering.projection.change import Change, Row, Tables, apply
from treering.projection.entity import EntityFold, table_of
from treering.projection.fingerprint import fingerprint
from treering.projection.searching import PREFIX
from treering.projection.shape import shape_of
from treering.query import RESERVED, ReservedName, Shape
from treering.upcast import Upcast

type Fold = Callable[[Recorded[Any]], Iterable[Change]]

_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_LONGEST = 45
"""Characters of a table's name: fingerprint and build follow it, and PostgreSQL takes 63."""
_OURS = {"projection"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A read model: tables, and the fold that fills them.

    The fold is pure: no I/O, no clock, no random. It is given each event of its kinds once, in
    the order of positions, and says what changes (`put`, `patch`, `increment`, `remove`); what was
    erased never reaches it. It sees no rows. When it raises, the read model stops at that event.
    """

    name: str
    """In checkpoints and metrics, and in addresses; a file may be renamed, this may not."""
    tables: Sequence[Table]
    """With their plain names; the first is what `ReadModels` shows."""
    fold: Fold
    kinds: Collection[str]
    """The kinds of streams whose events it wants."""
    replaces: str | None = None
    """The leaf of the kit whose place it takes."""
    sortable: Collection[str] | None = None
    """Columns of the first table that lists may be ordered by; all unless said."""
    filterable: Collection[str] | None = None
    """Columns of it that may be asked for; all unless said."""
    searchable: Collection[str] = ()
    """Columns of it whose words are searched, as `treering.query.words` writes them."""
    cache: float | None = None
    """Seconds that answers may be kept; 0: never; unless said what the gateway is set to."""
    served: bool = True
    """Whether the gateway answers questions about it."""
    upcasts: Sequence[Upcast] = ()
    """How older events of its kinds are read; `treering` fills them in."""
    version: str = field(init=False)
    """A fingerprint of tables and code: another one is another set of tables."""
    shape: Shape = field(init=False)
    """What can be asked of it."""

    def __post_init__(self) -> None:
        """Refuse what could not be built."""
        if not _NAME.fullmatch(self.name):
            raise DeclarationError(
                f"{self.name!r} is no name for a read model; use lower-case words joined by '-'."
            )
        if isinstance(self.kinds, str) or not self.kinds:
            raise DeclarationError(f"{self.name}: `kinds` is a set of kinds, such as {{'config'}}.")
        object.__setattr__(self, "kinds", frozenset(self.kinds))
        if self.cache is not None and self.cache < 0:
            raise DeclarationError(f"{self.name}: `cache` is a number of seconds, or 0 for never.")
        if not self.tables:
            raise DeclarationError(f"{self.name}: a read model has at least one table.")
        for table in self.tables:
            _check(self.name, table)
        object.__setattr__(self, "version", fingerprint(self.tables, self.fold, self.upcasts))
        shape = shape_of(
            self.tables[0],
            filterable=self.filterable,
            sortable=self.sortable,
            searchable=self.searchable,
        )
        object.__setattr__(self, "shape", shape)
        _warn(self.name, shape)

    @classmethod
    def of(
        cls, model: type[Entity], name: str | None = None, *, replaces: str | None = None
    ) -> Self:
        """Return the read model of all entities of *model*, as outcomes show them."""
        name = name or model.declaration.plural
        table = table_of(model, name)
        kinds = frozenset({model.declaration.kind})
        return cls(
            name=name,
            tables=[table],
            fold=EntityFold(table),
            kinds=kinds,
            sortable=model.declaration.sortable,
            filterable=model.declaration.filterable,
            searchable=[each.name for each in table.columns if each.name.startswith(PREFIX)],
            replaces=replaces,
            cache=model.declaration.cache,
        )

    def changes(self, recorded: Recorded[Any]) -> Iterable[Change]:
        """Return what follows from an event of any kind; nothing from an erased one."""
        if recorded.stream.partition("/")[0] not in self.kinds:
            return ()
        return () if isinstance(recorded.event, Erased) else self.fold(recorded)

    def rows(self, events: Iterable[Recorded[Any]]) -> dict[str, list[Row]]:
        """Return what each table, by its plain name, holds after *events*; no server is asked."""
        tables: Tables = {table.name: {} for table in self.tables}
        for recorded in events:
            tables = apply(self.changes(recorded), tables)
        return {name: [*rows.values()] for name, rows in tables.items()}


def projection(
    name: str,
    *,
    tables: Sequence[Table],
    kinds: Collection[str],
    replaces: str | None = None,
    cache: float | None = None,
    served: bool = True,
) -> Callable[[Fold], Projection]:
    """Make a read model of the fold below.

    @projection("sales-per-day", tables=[sales], kinds={"sale"})
    def sales_per_day(recorded: Recorded[Any]) -> Iterable[Change]:
        match recorded.event:
            case Sold(amount=amount):
                day = recorded.recorded_at.date()
                yield increment(sales, day, {"count": 1, "amount": amount})
    """

    def declared(fold: Fold) -> Projection:
        return Projection(
            name=name,
            tables=tables,
            fold=fold,
            kinds=kinds,
            replaces=replaces,
            cache=cache,
            served=served,
        )

    return declared


def check_apart(projections: Iterable[Projection]) -> None:
    """Raise DeclarationError if two of *projections* share their name or a table's."""
    owners: dict[str, str] = {}
    names: set[str] = set()
    for each in projections:
        if each.name in names:
            raise DeclarationError(f"Two read models are called {each.name!r}; rename one.")
        names.add(each.name)
        for table in each.tables:
            if table.name in owners:
                raise DeclarationError(
                    f"{owners[table.name]} and {each.name} both have a table {table.name!r}; "
                    "rename one."
                )
            owners[table.name] = each.name


def _warn(name: str, shape: Shape) -> None:
    """Warn of fields that are called like a parameter, which wins over them."""
    for said in sorted(RESERVED.intersection(shape.filterable)):
        message = (
            f"{name}: `?{said}=` says something of the question, not of the field {said!r}; "
            f"ask for the field as `{said}[eq]=` or in `filter`, or rename it."
        )
        warnings.warn(message, ReservedName, stacklevel=2)


def _check(name: str, table: Table) -> None:
    if not table.primary_key.columns:
        raise DeclarationError(f"{name}: the table {table.name!r} has no primary key.")
    if table.schema or len(table.name) > _LONGEST or table.name in _OURS:
        raise DeclarationError(
            f"{name}: give the table {table.name!r} a plain name of at most {_LONGEST} characters, "
            "without a schema."
        )
    for column in table.columns:
        if column.default is not None or column.server_default is not None:
            raise DeclarationError(
                f"{name}: {table.name}.{column.name} has a default; a fold says every value."
            )
        if isinstance(column.type, ARRAY | Enum):
            raise DeclarationError(
                f"{name}: {table.name}.{column.name} has a type of its own; use JSONB or Text."
            )
        if column.foreign_keys:
            raise DeclarationError(
                f"{name}: {table.name}.{column.name} refers to another table; "
                "rows of read models come and go in any order."
            )
