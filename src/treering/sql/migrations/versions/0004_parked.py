"""What waits for a newer handler is found by its type."""

from treering.sql.migrations.steps import run

revision = "0004"
down_revision = "0003"
up = ("0004_parked.up",)
down = ("0004_parked.down",)
loses = "an index of {count} commands that wait for a newer handler, which stay"
count = "select count(*) from parked"


def upgrade() -> None:
    """Make the index."""
    run(*up)


def downgrade() -> None:
    """Drop it; what waits stays."""
    run(*down)
