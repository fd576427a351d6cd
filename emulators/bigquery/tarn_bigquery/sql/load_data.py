"""LOAD DATA read into the configuration of a load job.

Source: https://cloud.google.com/bigquery/docs/reference/standard-sql/load-statements
"""

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from tarn_bigquery.errors import invalid_query, unsupported
from tarn_bigquery.sql import ddl
from tarn_bigquery.sql.external_ddl import add_hive, external_config, is_file_option, tokens, without_partition_columns
from tarn_bigquery.sql.parse import parse

_GROUPS = ("csvOptions", "jsonOptions", "avroOptions")
_DEFINING = {"schema", "timePartitioning", "rangePartitioning", "clustering"}
_DESCRIBING = {"description", "friendlyName", "labels"}


@dataclass(frozen=True)
class LoadData:
    """What a LOAD DATA asks for: `config` is a load job's, but for the table and whether to detect its columns."""

    table: exp.Table
    overwrites: bool
    config: dict[str, Any]


def read(text: str) -> LoadData:
    """Read a LOAD DATA statement. Raises ApiError for what is wrong or not supported."""
    remaining, keys = without_partition_columns(text)
    verb, target, files = _parts(remaining)
    create = _create(f"CREATE TABLE {target}")
    config = _file_config(files)
    if keys is not None:
        add_hive(config, keys)
    for group in _GROUPS:
        config |= config.pop(group, {})
    config["writeDisposition"] = "WRITE_TRUNCATE" if verb == "OVERWRITE" else "WRITE_APPEND"
    config |= _table_config(ddl.table_body(create))
    table = create.this.this if isinstance(create.this, exp.Schema) else create.this
    return LoadData(table, verb == "OVERWRITE", config)


def _parts(text: str) -> tuple[str, str, str]:
    """INTO or OVERWRITE, the table with its columns and options, and the options of FROM FILES."""
    words = tokens(text)
    spelled = [word.text.upper() for word in words]
    if spelled[1:2] != ["DATA"] or spelled[2:3] not in (["INTO"], ["OVERWRITE"]):
        raise invalid_query("Syntax error: Expected LOAD DATA INTO or LOAD DATA OVERWRITE")
    if spelled[3:4] in (["TEMP"], ["TEMPORARY"]):
        raise unsupported("LOAD DATA into a temporary table")
    for index in range(3, len(words) - 1):
        if spelled[index : index + 2] == ["FROM", "FILES"]:
            target = text[words[2].end + 1 : words[index].start].strip()
            return spelled[2], target, text[words[index + 1].end + 1 :]
    raise invalid_query("Syntax error: Expected keywords FROM FILES")


def _file_config(files: str) -> dict[str, Any]:
    create = _create(f"CREATE TABLE t OPTIONS {files}")
    given = ddl.options(create)
    file_format = create.find(exp.FileFormatProperty)
    if file_format is None or "uris" not in given:
        raise invalid_query("LOAD DATA needs the options format and uris in FROM FILES.")
    for name in given:
        if not is_file_option(name):
            raise invalid_query(f"Unknown option: {name}")
    return external_config(ddl.value_of(file_format.this), given)


def _table_config(body: dict[str, Any]) -> dict[str, Any]:
    for name in body.keys() - _DEFINING - _DESCRIBING:
        raise unsupported(f"LOAD DATA with the table option {name}")
    config = {name: body[name] for name in body.keys() & _DEFINING}
    if described := {name: body[name] for name in body.keys() & _DESCRIBING}:
        config["destinationTableProperties"] = described
    return config


def _create(text: str) -> exp.Create:
    create = parse(text)[0].tree
    if not isinstance(create, exp.Create):
        raise unsupported("this form of LOAD DATA")
    return create
