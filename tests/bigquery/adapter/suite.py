"""What the modules of this folder share: dbt's classes of tests, taken over as they are or in GoogleSQL."""

from collections.abc import Iterable
from typing import Any

import pytest
import sqlglot
from dbt.tests.fixtures.project import TestProjInfo


def as_tests(
    module: str, bases: Iterable[type], mark: pytest.MarkDecorator | None = None, first: type = object
) -> dict[str, type]:
    """A class for pytest to collect in `module` of each base class of dbt's suite, by its name.

    What `first` has takes the place of what they have.
    """
    made = {}
    for base in bases:
        name = f"Test{base.__name__.removeprefix('Base')}"
        cls = type(name, (base,) if first is object else (first, base), {"__module__": module})
        made[name] = mark(cls) if mark else cls
    return made


class InGoogleSql:
    """For classes of the suite whose own statements, those that no adapter writes, are PostgreSQL's."""

    MOMENT = "DATETIME"
    """The type of what PostgreSQL calls a timestamp without time zone."""

    @pytest.fixture(scope="class")
    def project(self, project: TestProjInfo) -> TestProjInfo:
        run = project.run_sql

        def run_translated(sql: str, fetch: str | None = None) -> Any:
            given = sql.format(database=project.database, schema=project.test_schema)
            *others, last = google_sql(given, self.MOMENT)
            for statement in others:
                run(statement)
            return run(last, fetch)

        project.run_sql = run_translated
        return project


def google_sql(postgres: str, moment: str = "DATETIME") -> list[str]:
    """PostgreSQL's statements in GoogleSQL, which puts no number and text together."""
    joinable = postgres.replace("id || '-'", "cast(id as text) || '-'").replace("`", '"')
    return [text.replace("DATETIME", moment) for text in sqlglot.transpile(joinable, "postgres", "bigquery") if text]
