"""Functions that BigQuery has and this emulator has not, so that they are not told as misspelt.

https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-all
"""

import re

from tarn_bigquery.errors import ApiError, unsupported

_FAMILIES = (
    (r"(ST|S2)_\w+", "geography functions"),
    (r"(AEAD|KEYS)\.\w+|DETERMINISTIC_(EN|DE)CRYPT\w*", "encryption functions"),
    (r"DLP_\w+", "Data Loss Prevention functions"),
    (r"(ML|AI)\.\w+|VECTOR_SEARCH", "machine learning functions"),
    (r"KLL_QUANTILES\.\w+", "quantile sketch functions"),
    (r"SEARCH|TEXT_ANALYZE|BAG_OF_WORDS|TF_IDF", "text search functions"),
    (r"OBJ\.\w+|EXTERNAL_OBJECT_TRANSFORM", "object reference functions"),
    (r"APPENDS|CHANGES", "change history functions"),
    (r"GAP_FILL", "time series functions"),
    (r"EXTERNAL_QUERY", "federated queries"),
)


def unsupported_function(path: list[str]) -> ApiError | None:
    """The error for a function that is known and not there; None for a name that BigQuery does not have either."""
    name = ".".join(path).upper()
    for pattern, family in _FAMILIES:
        if re.fullmatch(pattern, name):
            return unsupported(f"{family}: {name}")
    return None
