"""GoogleSQL compiled to DuckDB's SQL: names and types are worked out, then every construct is written with its meaning.

`queries` compiles a query in a `scope`, `expressions` an expression in it, `functions` has one entry a function.
What comes of an expression is a `Value`: DuckDB SQL and a GoogleSQL type.
"""
