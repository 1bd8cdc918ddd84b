"""Whether a repository is private, and when its name was told."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("repositories", sa.Column("private", sa.Boolean(), nullable=True))
    op.add_column("repositories", sa.Column("told_at", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("repositories", "told_at")
    op.drop_column("repositories", "private")
