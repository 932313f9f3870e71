"""`treering projections advise`: which indexes would serve what is asked, and making them."""

from collections.abc import Sequence

from treering.app import App as Application
from treering.cli import place
from treering.cli.output import say, show, table
from treering.domain.index_advice import STREAM, index_advice
from treering.projection.advised import Advice, advice_on
from treering.projection.build import (
    act_as_owner,
    current,
    found_in,
    in_schema,
    schema_for,
    tables_of,
)
from treering.sql import statement
from treering.store import Reader
from treering.store.connecting import connect, translated


async def advise(*, apply: bool = False, json: bool = False) -> None:
    """Say which fields are asked for without an index, and which indexes would serve them.

        treering projections advise --apply

    Gateways count such questions and send them once a minute.

    Args:
        apply: Make the indexes, beside all that is read and written; a rebuild makes them again.
        json: Print JSON instead of a table.

    """
    found = place.loaded(projections=True)
    async with place.reader(found) as reader:
        advice = await _advice(found, reader)
    if json:
        show(advice)
    elif not advice:
        say("Nothing was asked for that an index is missing for.")
    else:
        names = ("read model", "field", "asked", "advice")
        rows = [(each.name, each.field, each.asked, each.ddl or each.why) for each in advice]
        table(names, rows)
    if apply and any(each.ddl for each in advice):
        await _apply(found, advice)


async def _advice(found: Application, reader: Reader) -> Sequence[Advice]:
    stored = await reader.read_stream(STREAM)
    recorded = [found.registry.recorded(each) for each in stored]
    asked = index_advice.fold(index_advice.initial, recorded)
    schema = schema_for(found.namespace)
    advice: list[Advice] = []
    for each in found.projections:
        if each.name not in asked:
            continue
        builds = found_in(await reader.fetch(statement("projection_builds"), [each.name]))
        if (build := current(builds, each.version)) is None:
            continue
        named = tables_of(each, build, schema)[each.tables[0]]
        rows = await reader.fetch(
            statement("projection_indexed"), in_schema(schema, build.tables[0])
        )
        served = rows[0]["columns"] if rows else ()
        advice += advice_on(each.name, named, asked[each.name], served)
    return advice


async def _apply(found: Application, advice: Sequence[Advice]) -> None:
    """Make indexes as who owns the read models; what an interrupted try has left goes first."""
    settings = {"search_path": f'"{schema_for(found.namespace)}"'}
    connection = await connect(place.database_owner(found), settings=settings)
    try:
        with translated():
            await act_as_owner(connection)
            for each in advice:
                if each.ddl:
                    await connection.execute(f"drop index concurrently if exists {each.index}")
                    await connection.execute(each.ddl)
                    say(f"made     {each.index} for {each.name}, {each.field}")
    finally:
        connection.terminate()
