"""Conditions reach the tables they are about, and queries keep their meaning."""

from __future__ import annotations

import duckdb
import pytest
from sqlglot import exp, parse_one

from tarn_bigquery.sql.predicates import partition_predicates
from tarn_bigquery.sql.pushdown import push_down


def reaching(sql: str, table: str = "taxi") -> list[str]:
    """The conditions beside a table once a query's conditions have been moved."""
    tree = parse_one(sql, dialect="bigquery")
    push_down(tree)
    node = next(node for node in tree.find_all(exp.Table) if node.name == table)
    return [
        condition.sql("bigquery").replace("`", "").replace("(", "").replace(")", "")
        for condition in partition_predicates(node)
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM (SELECT * FROM taxi) WHERE month = 1",
        "SELECT * FROM (SELECT month, fare FROM taxi) t WHERE t.month = 1",
        "WITH a AS (SELECT * FROM taxi), b AS (SELECT month, fare + 1 AS f FROM a) SELECT * FROM b WHERE month = 1",
        "SELECT * FROM (SELECT DISTINCT month FROM taxi) WHERE month = 1",
        "SELECT * FROM (SELECT month FROM taxi UNION ALL SELECT m FROM other) WHERE month = 1",
        "SELECT * FROM (SELECT m FROM other UNION ALL SELECT month FROM taxi) WHERE m = 1",
        "SELECT * FROM z JOIN (SELECT * FROM taxi) t ON z.id = t.zone WHERE t.month = 1",
        "SELECT * FROM (SELECT * EXCEPT (fare) FROM taxi) WHERE month = 1",
        "SELECT s FROM (SELECT SUM(fare) AS s FROM (SELECT * FROM taxi) WHERE month = 1)",
    ],
)
def test_conditions_arrive(sql: str) -> None:
    assert "month = 1" in reaching(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM (SELECT * FROM taxi LIMIT 5) WHERE month = 1",
        "SELECT * FROM (SELECT month, SUM(fare) AS s FROM taxi GROUP BY month) WHERE s = 1",
        "SELECT * FROM (SELECT ROW_NUMBER() OVER () AS month FROM taxi) WHERE month = 1",
        "SELECT * FROM (SELECT RAND() AS month FROM taxi) WHERE month = 1",
        "SELECT * FROM (SELECT * REPLACE (2 AS month) FROM taxi) WHERE month = 1",
        "SELECT * FROM z LEFT JOIN (SELECT * FROM taxi) t ON z.id = t.zone WHERE t.month = 1",
        "SELECT * FROM z JOIN (SELECT * FROM taxi) t ON z.id = t.zone WHERE month = 1",
        "WITH a AS (SELECT * FROM taxi) SELECT * FROM a WHERE month = 1 UNION ALL SELECT * FROM a",
        "WITH RECURSIVE a AS (SELECT * FROM taxi) SELECT * FROM a WHERE month = 1",
    ],
)
def test_conditions_stay_where_moving_them_would_change_the_answer(sql: str) -> None:
    assert reaching(sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM (SELECT k + 1 AS k, v FROM t) AS s WHERE k > 2 OR v IS NULL",
        "WITH a AS (SELECT * FROM t), b AS (SELECT v AS k, k AS v FROM a) SELECT * FROM b WHERE k = 1 AND NOT v = 3",
        "SELECT * FROM (SELECT k, v FROM t UNION ALL SELECT v, k FROM t) AS s WHERE k = 1",
        "SELECT * FROM t AS o JOIN (SELECT k AS v, v AS k FROM t) AS s ON o.k = s.v WHERE s.k = 2 AND o.v > 0",
        "SELECT * FROM (SELECT k FROM (SELECT * FROM t) AS i WHERE v = 1 OR v = 2) AS s WHERE k = 1 OR k = 3",
    ],
)
def test_answers_stay_the_same(sql: str) -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t AS SELECT * FROM (VALUES (1, 1), (2, 1), (3, NULL), (1, 2), (NULL, 3)) t(k, v)")
    tree = parse_one(sql, dialect="bigquery")
    before = connection.execute(f"{tree.sql('duckdb')} ORDER BY ALL").fetchall()
    push_down(tree)
    assert connection.execute(f"{tree.sql('duckdb')} ORDER BY ALL").fetchall() == before
