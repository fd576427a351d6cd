#!/usr/bin/env python3
"""Hold one loaded partition of a dataset against its checks, through BigQuery."""

import sys

from tarn.shell import run

if __name__ == "__main__":
    sys.exit(run("validate", __doc__))
