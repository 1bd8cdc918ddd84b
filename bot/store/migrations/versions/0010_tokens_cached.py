"""How many tokens of their prompts hosts had read before."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_TABLES = ("runs", "usage", "calls", "call_totals")


def upgrade() -> None:
    for table in _TABLES:  # what an older Hob writes beside a newer one has none
        op.add_column(table, sa.Column("tokens_cached", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "tokens_cached")
