#!/usr/bin/env python3
"""Download the publisher's file of one partition into the staging area."""

import sys

from tarn.shell import run

if __name__ == "__main__":
    sys.exit(run("download", __doc__))
