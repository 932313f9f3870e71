"""Runs one SQL file of a migration, whole, on the connection that alembic holds."""

from importlib.resources import files
from typing import Any

from alembic import op
from sqlalchemy.util import await_only


def run(name: str) -> None:
    """Execute the statements of *name* in the migration's transaction."""
    text = files("treering.sql.migrations").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    connection: Any = op.get_bind().connection.driver_connection
    await_only(connection.execute(text))
