"""The store: events, streams, verdicts, unique keys, and the one function that appends."""

from treering.sql.migrations.steps import run

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the store."""
    run("0001_store.up")
    run("0001_append.up")


def downgrade() -> None:
    """Remove the store and everything in it."""
    run("0001_store.down")
