"""What reviews found, what issues are called, what models were asked and said, and what runs logged."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "findings",
        sa.Column("id", _ID, nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("repo_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("head_sha", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(24), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("severity", sa.String(8), nullable=False),
        sa.Column("category", sa.String(100), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("why", sa.String(100), nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("liked", sa.Integer(), nullable=False),
        sa.Column("disliked", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
        sa.UniqueConstraint("run_id", "n", name="uq_findings_run_id_n"),
    )
    op.create_index("ix_findings_at", "findings", ["at"])
    op.create_index("ix_findings_state_at", "findings", ["state", "at"])
    op.create_index("ix_findings_repo_id_number", "findings", ["repo_id", "number"])
    op.create_table(
        "issues",
        sa.Column("repo_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_pull", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("repo_id", "number", name="pk_issues"),
    )
    op.create_index("ix_issues_changed_at", "issues", ["changed_at"])
    op.create_table(
        "run_logs",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_logs"),
    )
    op.create_index("ix_run_logs_at", "run_logs", ["at"])
    op.create_index("ix_memory_repo_id_fingerprint", "memory", ["repo_id", "fingerprint"])
    op.add_column("calls", sa.Column("texts", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("calls", "texts")
    op.drop_index("ix_memory_repo_id_fingerprint", "memory")
    op.drop_table("run_logs")
    op.drop_table("issues")
    op.drop_table("findings")
