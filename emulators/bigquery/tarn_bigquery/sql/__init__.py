"""GoogleSQL text in, DuckDB SQL out: parsing, names, parameters, types, DDL read into resources."""
