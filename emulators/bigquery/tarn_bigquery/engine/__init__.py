"""What runs: the DuckDB database, transactions, jobs, results and their encoding."""
