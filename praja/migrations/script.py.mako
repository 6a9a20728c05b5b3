"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
phase = "pre"  # "post" when the version before can no longer work on the tables (docs/contributing.md)


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
