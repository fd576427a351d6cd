"""Columns that a dataset does not declare and its policies let into the table: text, as the publisher has it."""

from tarn.dataset import Column, ColumnType

EVOLVED = "Not declared; as the publisher writes it."
"""Their description, by which they are known in the table."""


def text_column(name: str) -> Column:
    """Such a column."""
    return Column(name=name, type=ColumnType.STRING, description=EVOLVED)
