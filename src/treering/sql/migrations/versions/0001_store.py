"""The store: events, streams, verdicts, unique keys, and the one function that appends."""

from treering.sql.migrations.steps import run

revision = "0001"
down_revision = None
up = ("0001_store.up", "0001_append.up", "0001_verdicts.up")
down = ("0001_store.down",)
loses = "the store with all that was recorded in it, {count} events"
count = "select position from head"


def upgrade() -> None:
    """Make the store."""
    run(*up)


def downgrade() -> None:
    """Remove the store and everything in it."""
    run(*down)
