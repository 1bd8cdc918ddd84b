"""What a convention that was learned rests on."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("memory", sa.Column("evidence", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("memory", "evidence")
