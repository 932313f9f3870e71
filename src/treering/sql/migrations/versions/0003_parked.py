"""Commands that wait for a handler which knows them."""

from treering.sql.migrations.steps import run

revision = "0003"
down_revision = "0002"
up = ("0003_parked.up",)
down = ("0003_parked.down",)
loses = "{count} commands that wait for a newer handler"
count = "select count(*) from parked"


def upgrade() -> None:
    """Make room for them."""
    run(*up)


def downgrade() -> None:
    """Forget them."""
    run(*down)
