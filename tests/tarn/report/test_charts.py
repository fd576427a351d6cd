"""Charts' declarations: those that are shipped, and wrong ones."""

from pathlib import Path

import pytest

from tarn.errors import InvalidChart
from tarn.report.charts import read_sections

SHIPPED = Path(__file__).parents[3] / "dbt" / "charts"


def test_every_shipped_chart_is_valid() -> None:
    assert all(section.charts for section in read_sections(SHIPPED))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- title: A\n  caption: B\n  kind: pie\n  sql: SELECT 1\n  x: a\n  y: b\n", "0.kind: Input should be 'line'"),
        ("- title: A\n  caption: B\n  kind: bar\n  sql: SELECT 1\n  x: a\n", "0.y: Field required"),
        ("title: A\n", "Input should be a valid tuple"),
        ("- [", "not YAML"),
    ],
)
def test_a_wrong_declaration_is_named_with_its_file_and_field(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "taxi.yaml").write_text(text)
    with pytest.raises(InvalidChart) as error:
        read_sections(tmp_path)
    assert str(tmp_path / "taxi.yaml") in str(error.value)
    assert complaint in str(error.value)
