"""Tables as CSV, made of the JSON that an answer is: each cell reads as it does there."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from treering.gateway.collection import Table

type Row = Mapping[str, msgspec.Raw]

_ROWS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_ROW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_GROUPED = msgspec.json.Decoder(dict[str, list[dict[str, msgspec.Raw]]])
_TEXT = msgspec.json.Decoder(str)
_QUOTED = re.compile(r'[",\r\n]|^$')
_LISTED = ("", "/{id}", "/$stats", "/$facets", "/$aggregate")


def tables_of(collections: Iterable[Table]) -> frozenset[str]:
    """Return the addresses whose answers are tables, too."""
    paths = (each.path for one in collections for each in (one, *one.before))
    return frozenset(f"{path}{rest}" for path in paths for rest in _LISTED)


def csv_of(body: bytes, path: str) -> bytes:
    """Return the table that *body* is, the JSON of an answer at *path*.

    What is no row of a page, its number for instance, is left out.
    """
    if path.endswith("/$aggregate"):
        return _written([*map(_flat, _ROWS.decode(body))])
    if path.endswith("/$facets"):
        return _written([*_melted(_GROUPED.decode(body))])
    if body.startswith(b"["):
        return _written(_ROWS.decode(body))
    row = _ROW.decode(body)
    if "{" not in path and "items" in row:
        return _written(_ROWS.decode(row["items"]))
    return _written([row])


def _flat(row: Row) -> Row:
    """Return the row with the members of objects as columns of their own: `sum.rows`."""
    found: dict[str, msgspec.Raw] = {}
    for name, value in row.items():
        if bytes(value).startswith(b"{"):
            found |= {f"{name}.{each}": said for each, said in _ROW.decode(value).items()}
        else:
            found[name] = value
    return found


def _melted(groups: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
    """Yield a row for each value of each field."""
    for name, values in groups.items():
        field = msgspec.Raw(msgspec.json.encode(name))
        yield from ({"field": field, **each} for each in values)


def _written(rows: Sequence[Row]) -> bytes:
    columns = [*dict.fromkeys(name for row in rows for name in row)]
    lines = [",".join(map(_quoted, columns))]
    lines += [",".join(_cell(row.get(name)) for name in columns) for row in rows]
    return "".join(f"{line}\n" for line in lines).encode() if columns else b""


def _cell(value: msgspec.Raw | None) -> str:
    """Return a cell; nothing stands for null, and `""` for a text that is empty."""
    said = b"null" if value is None else bytes(value)
    if said == b"null":
        return ""
    return _quoted(_TEXT.decode(said) if said.startswith(b'"') else said.decode())


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
