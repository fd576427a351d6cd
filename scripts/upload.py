#!/usr/bin/env python3
"""Make the lake's bucket hold exactly a partition's Parquet files."""

import sys

from tarn.shell import run

if __name__ == "__main__":
    sys.exit(run("upload", __doc__))
