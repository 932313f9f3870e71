"""Runs the SQL files of a migration, whole, on the connection that alembic holds."""

from importlib.resources import files
from typing import Any

from alembic import op
from sqlalchemy.util import await_only


def text_of(name: str) -> str:
    """Return the statements of *name*."""
    return files("treering.sql.migrations").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def run(*names: str) -> None:
    """Execute the statements of *names* in the migration's transaction."""
    connection: Any = op.get_bind().connection.driver_connection
    for name in names:
        await_only(connection.execute(text_of(name)))
