"""Charts: declared in ``dbt/charts/``, one YAML file a pipeline, beside the marts that they are drawn from."""

from enum import StrEnum
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tarn.errors import InvalidChart


class Kind(StrEnum):
    """How a chart draws its rows."""

    LINE = "line"
    BAR = "bar"
    SCATTER = "scatter"


class Chart(BaseModel):
    """One chart. ``{marts}`` in the SQL stands for the marts' dataset; ``x``, ``y`` and ``color`` name its columns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1)
    caption: str = Field(min_length=1, description="what the reader sees in it, and in which unit")
    kind: Kind
    sql: str = Field(min_length=1)
    x: str
    y: str
    color: str | None = None


class Section(BaseModel):
    """A pipeline's charts."""

    model_config = ConfigDict(frozen=True)

    pipeline: str
    charts: tuple[Chart, ...]


def read_sections(folder: Path) -> list[Section]:
    """Every pipeline's charts, by name; raises InvalidChart naming the file, the field and the reason."""
    return [Section(pipeline=path.stem, charts=_read(path)) for path in sorted(folder.glob("*.yaml"))]


def _read(path: Path) -> tuple[Chart, ...]:
    try:
        return TypeAdapter(tuple[Chart, ...]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise InvalidChart(f"{path}: not YAML: {' '.join(str(error).split())}.") from None
    except ValidationError as error:
        problems = (f"{path}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InvalidChart("\n".join(problems)) from None
