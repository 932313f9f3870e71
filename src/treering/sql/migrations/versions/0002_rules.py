"""References between streams, and the rules that the store keeps."""

from treering.sql.migrations.steps import run

revision = "0002"
down_revision = "0001"
up = ("0002_rules.up", "0002_append.up")
down = ("0002_rules.down", "0001_append.up")
loses = "{count} references and the stored rules, which the next upgrade works out anew"
count = "select count(*) from reference"


def upgrade() -> None:
    """Add references and rules, and have the append keep them."""
    run(*up)


def downgrade() -> None:
    """Remove references and rules; keys and events stay."""
    run(*down)
