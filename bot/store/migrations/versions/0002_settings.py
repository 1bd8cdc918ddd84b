"""Settings of users, organisations and repositories; traces of model calls."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _settings()
    _calls()
    _call_totals()


def downgrade() -> None:
    for table in ("call_totals", "calls", "settings"):
        op.drop_table(table)


def _settings() -> None:
    op.create_table(
        "settings",
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "name", "key", name=op.f("pk_settings")),
    )


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("run_id", sa.BigInteger()),
        sa.Column("repo", sa.String(300), nullable=False),
        sa.Column("prompt", sa.String(100), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("host", sa.String(200), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("tokens_in", sa.BigInteger(), nullable=False),
        sa.Column("tokens_out", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("first_token_seconds", sa.Double(), nullable=False),
        sa.Column("failure", sa.String(300), nullable=False),
        sa.Column("left_out", sa.Text(), nullable=False),
        sa.Column("cost_usd", sa.Double(), nullable=False),
        sa.Column("cached", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index(op.f("ix_calls_run_id"), "calls", ["run_id"])
    op.create_index(op.f("ix_calls_at"), "calls", ["at"])


def _call_totals() -> None:
    op.create_table(
        "call_totals",
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("host", sa.String(200), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("tokens_in", sa.BigInteger(), nullable=False),
        sa.Column("tokens_out", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("first_token_seconds", sa.Double(), nullable=False),
        sa.Column("cost_usd", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("role", "host", "model", "outcome", name=op.f("pk_call_totals")),
    )
