#!/usr/bin/env bash
# Prints the requirements file of Cloud Composer: what the lake needs and Composer's own packages do not bring.
# usage: composer_requirements.sh [PACKAGE_THAT_COMPOSER_HAS...]
set -euo pipefail
cd "$(dirname "$0")/.."

arguments=(. --no-hashes --without tarn-bigquery --without tarn-publishers --without gcp-storage-emulator)
for package in apache-airflow apache-airflow-providers-google apache-airflow-providers-celery \
    apache-airflow-providers-postgres "$@"; do
    arguments+=(--provided "$package")
done
exec python3 scripts/locked_requirements.py "${arguments[@]}"
