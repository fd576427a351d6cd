"""A local BigQuery: the REST API v2 over DuckDB, with live hive-partitioned external tables."""
