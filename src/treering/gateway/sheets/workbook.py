"""A workbook of one sheet: a ZIP file of XML, of which nothing is kept once it is written."""

import asyncio
import zipfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from html import escape
from typing import Any

from treering.gateway.sheets.cells import DATE, EMPTY, HEAD, MOMENT, cell_of, text
from treering.gateway.sheets.records import records_in, whole_ones
from treering.query import Word

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST = 1_048_575
"""Rows that a sheet holds below its head."""
_LONGEST_NAME = 31
_HEADER = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS: Mapping[str, str] = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
        '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
        '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss.000"/></numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/>'
        '<xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/>'
        '<xf fontId="1" applyFont="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    ),
}
_WIDTHS: Mapping[Word, int] = {"moment": 25, "date": 12}
_WIDTH = 18
assert (DATE, MOMENT, HEAD) == (1, 2, 3)  # noqa: S101 - as cellXfs lists them


async def workbook(
    name: str, words: Mapping[str, Word], pieces: AsyncGenerator[bytes]
) -> AsyncGenerator[bytes]:
    """Yield the file whose sheet is called *name*, of the CSV that comes in *pieces*.

    The kinds of its columns are *words*. Another thread does the work, a part at a time.
    """
    writing = _Writing(name, words)
    try:
        async with aclosing(whole_ones(pieces)) as parts:
            async for part in parts:
                if done := await asyncio.to_thread(writing.take, part):
                    yield done
        yield writing.end()
    finally:
        writing.close()


class _Sink:
    """Where the ZIP file goes; it cannot be sought in, so that nothing written is needed again."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, some: bytes, /) -> int:
        self._written += some
        return len(some)

    def flush(self) -> None:
        """Nothing waits."""

    def taken(self) -> bytes:
        """Return what was written since this was last asked."""
        found = bytes(self._written)
        self._written.clear()
        return found


class _Writing:
    """One file on its way."""

    def __init__(self, name: str, words: Mapping[str, Word]) -> None:
        self._words = words
        self._sink = _Sink()
        into: Any = self._sink
        self._zip = zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        for place, said in {**_PARTS, "xl/workbook.xml": _book(name)}.items():
            self._zip.writestr(place, _HEADER + said)
        self._sheet = self._zip.open("xl/worksheets/sheet1.xml", "w")
        self._columns: Sequence[str] | None = None

    def take(self, part: bytes) -> bytes:
        """Write the records of *part*, and return what there is of the file."""
        records = records_in(part)
        if self._columns is None:
            self._columns, *records = records
            self._sheet.write(_opening(self._columns, self._words).encode())
        cells = [cell_of(self._words.get(each)) for each in self._columns]
        rows = [
            "".join([
                write(value) if value else EMPTY
                for write, value in zip(cells, record, strict=True)
            ])
            for record in records
        ]  # fmt: skip
        self._sheet.write("".join([f"<row>{row}</row>" for row in rows]).encode())
        return self._sink.taken()

    def end(self) -> bytes:
        """Finish the file, and return the rest of it."""
        self._sheet.write(b"</sheetData></worksheet>")
        self.close()
        return self._sink.taken()

    def close(self) -> None:
        """Let go of what is open."""
        self._sheet.close()
        self._zip.close()


def _book(name: str) -> str:
    shown = escape(name[:_LONGEST_NAME])
    return (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name="{shown}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )


def _opening(columns: Sequence[str], words: Mapping[str, Word]) -> str:
    """Return how the sheet begins: its head stays in view."""
    widths = (
        f'<col min="{at}" max="{at}" customWidth="1" '
        f'width="{_WIDTHS.get(words.get(each, "text"), _WIDTH)}"/>'
        for at, each in enumerate(columns, 1)
    )
    head = "".join(text(each, HEAD) for each in columns)
    return (
        f'{_HEADER}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f"</sheetView></sheetViews><cols>{''.join(widths)}</cols>"
        f"<sheetData><row>{head}</row>"
    )
