"""Rows that are given to a statement as one array for each column, so that any number of them is one statement."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, Column, TableValuedAlias, bindparam, column, func

__all__ = ["unnested"]


def unnested(prefix: str, *columns: Column[Any]) -> TableValuedAlias:
    """The values are `PREFIX_COLUMN`; the rows have those columns, and `place`, which they were given in."""
    arrays = (bindparam(f"{prefix}_{one.name}", type_=ARRAY(one.type)) for one in columns)
    rows = func.unnest(*arrays).table_valued(*(column(one.name, one.type) for one in columns), with_ordinality="place")
    return rows.render_derived()
