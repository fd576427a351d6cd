#!/usr/bin/env python3
"""Create or update a dataset's external table, and prove one partition through BigQuery."""

import sys

from tarn.shell import run

if __name__ == "__main__":
    sys.exit(run("load", __doc__))
