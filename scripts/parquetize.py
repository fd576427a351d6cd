#!/usr/bin/env python3
"""Cast a downloaded file to its dataset's schema, as Parquet, and set its bad rows aside."""

import sys

from tarn.shell import run

if __name__ == "__main__":
    sys.exit(run("parquetize", __doc__))
