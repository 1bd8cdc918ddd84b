"""When scheduled work is next due, and the repositories that it may be due in."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_KNOWN = """
INSERT INTO repositories (id, name, installation_id)
SELECT repo_id, repo, installation_id FROM inbox WHERE id IN (
  SELECT max(id) FROM inbox
  WHERE repo_id IS NOT NULL AND installation_id IS NOT NULL AND state <> 'quarantined' GROUP BY repo_id)
"""


def upgrade() -> None:
    op.create_table(
        "repositories",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("installation_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repositories")),
    )
    op.create_table(
        "schedule",
        sa.Column("handler", sa.String(100), nullable=False),
        sa.Column("repo_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("handler", "repo_id", name=op.f("pk_schedule")),
    )
    op.execute(_KNOWN)


def downgrade() -> None:
    for table in ("schedule", "repositories"):
        op.drop_table(table)
