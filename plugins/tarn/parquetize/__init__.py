"""From a publisher's CSV or Parquet file to one Parquet file in a dataset's declared schema."""
