"""What was done on an issue is found by an index, however much was done elsewhere."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite compares by bytes anyhow
        for table in ("runs", "outbox"):
            op.execute(f'ALTER TABLE {table} ALTER COLUMN target TYPE VARCHAR(200) COLLATE "C"')
    op.create_index(op.f("ix_outbox_kind_target"), "outbox", ["kind", "target"])


def downgrade() -> None:
    op.drop_index(op.f("ix_outbox_kind_target"), table_name="outbox")
    if op.get_bind().dialect.name == "postgresql":
        for table in ("runs", "outbox"):
            op.execute(f'ALTER TABLE {table} ALTER COLUMN target TYPE VARCHAR(200) COLLATE "default"')
