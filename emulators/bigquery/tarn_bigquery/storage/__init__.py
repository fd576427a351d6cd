"""Live external tables over the objects of a GCS bucket."""

from tarn_bigquery.storage.cache import ObjectCache
from tarn_bigquery.storage.external import ExternalSource, ScanPlan
from tarn_bigquery.storage.gcs import ObjectStore
from tarn_bigquery.storage.pruning import PartitionFilter

__all__ = ["ExternalSource", "ObjectCache", "ObjectStore", "PartitionFilter", "ScanPlan"]
