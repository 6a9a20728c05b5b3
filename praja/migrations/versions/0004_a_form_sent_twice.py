"""a form sent twice goes out once"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
phase = "pre"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("form", sa.Uuid(), nullable=True), schema="bot")
    op.create_index(
        "outbox_form", "outbox", ["form"], unique=True, schema="bot", postgresql_where=sa.text("form IS NOT NULL")
    )
