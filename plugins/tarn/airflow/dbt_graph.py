"""The models of one pipeline and what they are built from, read from the project's files as they are now.

Cosmos needs the graph each time a DAG is parsed. ``dbt ls`` and a fresh manifest take seconds of dbt for it, and a
manifest that is kept is one day an old one. Our models name what they read by ``ref`` with one name, which a regular
expression finds in a millisecond; a test holds what is found here to what dbt itself says.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tarn import durable

PACKAGE = "tarn"
LAYERS = ("staging", "intermediate", "marts")

_REF = re.compile(r"\bref\(\s*['\"](\w+)['\"]\s*\)")
_COMMENT = re.compile(r"{#.*?#}", re.DOTALL)  # and not SQL's: dbt looks into these too


@dataclass(frozen=True)
class Model:
    """A model of the dbt project, by its name; ``file`` is relative to the project's folder."""

    name: str
    file: Path
    reads: tuple[str, ...]
    is_tested: bool

    @property
    def is_mart(self) -> bool:
        """Whether people read it, and not only other models."""
        return self.file.parts[1] == "marts"

    @property
    def unique_id(self) -> str:
        """As dbt names it."""
        return f"model.{PACKAGE}.{self.name}"


def pipeline_models(project: Path, pipeline: str) -> list[Model]:
    """The pipeline's models, in the order of their files; what they read besides models of the pipeline is left out."""
    folders = [folder for layer in LAYERS if (folder := project / "models" / layer / pipeline).is_dir()]
    files = [file for folder in folders for file in sorted(folder.rglob("*.sql"))]
    own = {file.stem for file in files}
    tested = {name for folder in folders for file in folder.rglob("*.yml") for name in _tested(file)}
    return [
        Model(file.stem, file.relative_to(project), tuple(sorted(_refs(file) & own)), file.stem in tested)
        for file in files
    ]


def write_listing(project: Path, pipeline: str, path: Path) -> Path:
    """Write the models as ``dbt ls --output json`` would, for Cosmos to read; the file changes only when they do."""
    lines = [line for model in pipeline_models(project, pipeline) for line in _nodes(model, pipeline)]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        durable.write_text(path, text)
    return path


def _refs(file: Path) -> set[str]:
    return set(_REF.findall(_COMMENT.sub("", file.read_text(encoding="utf-8"))))


def _tested(file: Path) -> Iterator[str]:
    for model in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("models", ()):
        if any("data_tests" in part for part in (model, *model.get("columns", ()))):
            yield model["name"]


def _nodes(model: Model, pipeline: str) -> Iterator[Mapping[str, object]]:
    common = {"original_file_path": str(model.file), "tags": [pipeline], "config": {}}
    reads = [f"model.{PACKAGE}.{name}" for name in model.reads]
    yield {"unique_id": model.unique_id, "resource_type": "model", "depends_on": {"nodes": reads}} | common
    if model.is_tested:
        test = f"test.{PACKAGE}.{model.name}"
        yield {"unique_id": test, "resource_type": "test", "depends_on": {"nodes": [model.unique_id]}} | common
