"""Commands that wait for a handler which knows them."""

from treering.sql.migrations.steps import run

revision = "0003"
down_revision = "0001"


def upgrade() -> None:
    """Make room for them."""
    run("0003_parked.up")


def downgrade() -> None:
    """Forget them."""
    run("0003_parked.down")
