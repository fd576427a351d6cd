"""The Storage Read API, by gRPC: rows of tables and results as Arrow batches, for clients that take their fast way.

https://cloud.google.com/bigquery/docs/reference/storage/rpc/google.cloud.bigquery.storage.v1
"""
