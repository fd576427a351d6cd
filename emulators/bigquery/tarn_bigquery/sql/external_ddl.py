"""CREATE and DROP EXTERNAL TABLE, which sqlglot takes in part only.

Source: https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#create_external_table_statement
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlglot import Dialect, exp
from sqlglot.tokenizer_core import Token, TokenType

from tarn_bigquery.errors import invalid_query, unsupported
from tarn_bigquery.sql import ddl
from tarn_bigquery.sql.parse import parse
from tarn_bigquery.sql.types import Field, legacy_name
from tarn_bigquery.sql.words import without_word

_FORMATS = {"JSON": "NEWLINE_DELIMITED_JSON"}
_PLACES: dict[str, tuple[str, ...]] = {
    "uris": ("sourceUris",),
    "compression": ("compression",),
    "ignore_unknown_values": ("ignoreUnknownValues",),
    "max_bad_records": ("maxBadRecords",),
    "reference_file_schema_uri": ("referenceFileSchemaUri",),
    "hive_partition_uri_prefix": ("hivePartitioningOptions", "sourceUriPrefix"),
    "require_hive_partition_filter": ("hivePartitioningOptions", "requirePartitionFilter"),
    "field_delimiter": ("csvOptions", "fieldDelimiter"),
    "quote": ("csvOptions", "quote"),
    "skip_leading_rows": ("csvOptions", "skipLeadingRows"),
    "null_marker": ("csvOptions", "nullMarker"),
    "null_markers": ("csvOptions", "nullMarkers"),
    "encoding": ("csvOptions", "encoding"),
    "preserve_ascii_control_characters": ("csvOptions", "preserveAsciiControlCharacters"),
    "source_column_match": ("csvOptions", "sourceColumnMatch"),
    "time_zone": ("timeZone",),
    "date_format": ("dateFormat",),
    "datetime_format": ("datetimeFormat",),
    "time_format": ("timeFormat",),
    "timestamp_format": ("timestampFormat",),
    "json_extension": ("jsonExtension",),
    "decimal_target_types": ("decimalTargetTypes",),
    "file_set_spec_type": ("fileSetSpecType",),
    "allow_jagged_rows": ("csvOptions", "allowJaggedRows"),
    "allow_quoted_newlines": ("csvOptions", "allowQuotedNewlines"),
    "enum_as_string": ("parquetOptions", "enumAsString"),
    "enable_list_inference": ("parquetOptions", "enableListInference"),
    "enable_logical_types": ("avroOptions", "useAvroLogicalTypes"),
}
"""Where an option stands in REST's ExternalDataConfiguration."""


@dataclass(frozen=True)
class CreateExternalTable:
    """What a CREATE EXTERNAL TABLE asks for: `body` is the table's resource before its columns are resolved."""

    create: exp.Create
    body: dict[str, Any]


def read_create(text: str) -> CreateExternalTable:
    """Read a CREATE EXTERNAL TABLE statement. Raises ApiError for what is wrong or not supported."""
    remaining, keys = without_partition_columns(text)
    create = parse(without_word(remaining, "EXTERNAL"))[0].tree
    if not isinstance(create, exp.Create):
        raise unsupported("this form of CREATE EXTERNAL TABLE")
    given = ddl.options(create)
    file_format = create.find(exp.FileFormatProperty)
    if file_format is None or "uris" not in given:
        raise invalid_query("CREATE EXTERNAL TABLE needs the options format and uris.")
    config = external_config(ddl.value_of(file_format.this), given)
    if keys is not None:
        add_hive(config, keys)
    body: dict[str, Any] = {"externalDataConfiguration": config}
    if isinstance(create.this, exp.Schema):
        body["schema"] = {"fields": ddl.columns(create.this)}
    else:
        config["autodetect"] = True
    others = {name: value for name, value in given.items() if not is_file_option(name)}
    return CreateExternalTable(create, body | ddl.table_options(others, body))


def read_drop(text: str) -> exp.Expr:
    """A DROP EXTERNAL TABLE statement as the tree of a DROP TABLE."""
    return parse(without_word(text, "EXTERNAL"))[0].tree


def is_file_option(name: str) -> bool:
    """Whether an option is about the files, and not about the table."""
    return name in _PLACES or name == "encoding"


def external_config(file_format: str, given: dict[str, Any]) -> dict[str, Any]:
    """The options of files, `uris` among them, as REST's ExternalDataConfiguration."""
    source_format = _FORMATS.get(file_format.upper(), file_format.upper())
    config: dict[str, Any] = {"sourceFormat": source_format}
    places = dict(_PLACES)
    places["encoding"] = ("csvOptions" if source_format == "CSV" else "jsonOptions", "encoding")
    for name, value in given.items():
        if name in places:
            *groups, member = places[name]
            target = config
            for group in groups:
                target = target.setdefault(group, {})
            target[member] = value
    if isinstance(config["sourceUris"], str):
        config["sourceUris"] = [config["sourceUris"]]
    return config


def add_hive(config: dict[str, Any], keys: list[Field]) -> None:
    """Have the folders' names read as columns: these, or those that are found where none are named."""
    hive = config.get("hivePartitioningOptions") or {}
    prefix = hive.get("sourceUriPrefix")
    if not prefix:
        raise invalid_query("WITH PARTITION COLUMNS needs the option hive_partition_uri_prefix.")
    encoded = "".join(f"/{{{key['name']}:{legacy_name(key['type'])}}}" for key in keys)
    mode = "CUSTOM" if keys else "AUTO"
    config["hivePartitioningOptions"] = {**hive, "mode": mode, "sourceUriPrefix": prefix.rstrip("/") + encoded}


def without_partition_columns(text: str) -> tuple[str, list[Field] | None]:
    """The statement without WITH PARTITION COLUMNS, and the columns that it lists; None where it is not there."""
    words = tokens(text)
    spelled = [word.text.upper() for word in words]
    for index in range(len(words) - 2):
        if spelled[index : index + 2] == ["WITH", "CONNECTION"]:
            raise unsupported("WITH CONNECTION: objects are read with the emulator's own credentials")
        if spelled[index : index + 3] == ["WITH", "PARTITION", "COLUMNS"]:
            last = _closing(words, index + 3)
            columns = text[words[index + 2].end + 1 : words[last].end + 1].strip()
            return text[: words[index].start] + text[words[last].end + 1 :], _columns(columns) if columns else []
    return text, None


def _closing(words: list[Token], start: int) -> int:
    """The place of the parenthesis that closes the one at `start`; the place before where none opens there."""
    if start >= len(words) or words[start].token_type != TokenType.L_PAREN:
        return start - 1
    depth = 0
    for index in range(start, len(words)):
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(words[index].token_type, 0)
        if not depth:
            return index
    raise invalid_query('Syntax error: Expected ")" but got end of script')


def _columns(listed: str) -> list[Field]:
    create = parse(f"CREATE TABLE t {listed}")[0].tree
    if not isinstance(create.this, exp.Schema):
        raise invalid_query(f"Syntax error: Unexpected {listed!r} after WITH PARTITION COLUMNS")
    return ddl.columns(create.this)


def tokens(text: str) -> list[Token]:
    """The words of a statement."""
    return Dialect.get_or_raise("bigquery").tokenize(text)
