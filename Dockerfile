# The images of docker-compose.yml, one target each: `emulators`, `objects` and `airflow` (the last, so the default).
# No stage that reaches an image has a compiler: what pip installs is installed in stages of its own and copied over.
# A package index other than PyPI is named by the build argument UV_DEFAULT_INDEX; it stays in the build stages.

FROM python:3.12.12-slim-bookworm AS python
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
# 10001: a number that no user of the host has, the same in every image, so that volumes may be shared.
RUN useradd --uid 10001 --home-dir /var/lib/tarn --no-log-init tarn \
    && install -d -o tarn -g tarn /var/lib/tarn /var/lib/tarn/airflow /var/lib/tarn/staging /data

FROM python AS build
ARG UV_DEFAULT_INDEX
RUN python -m pip install --no-cache-dir --no-compile uv && uv venv /opt/venv
ENV VIRTUAL_ENV=/opt/venv UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 UV_LINK_MODE=copy
WORKDIR /src
COPY requirements.lock pyproject.toml ./
COPY scripts/locked_requirements.py scripts/
COPY emulators/bigquery/pyproject.toml emulators/bigquery/
COPY emulators/publishers/pyproject.toml emulators/publishers/

# Dependencies and the code that needs them are layers of their own: a change of code builds and moves only the small one.
FROM build AS emulators-needs
RUN scripts/locked_requirements.py emulators/bigquery emulators/publishers > needs.txt \
    && uv pip install --require-hashes --requirement needs.txt

FROM emulators-needs AS emulators-code
COPY emulators emulators
RUN uv pip install --no-deps --target /opt/code ./emulators/bigquery ./emulators/publishers

FROM build AS airflow-needs
RUN scripts/locked_requirements.py --without tarn-bigquery --without tarn-publishers . > needs.txt \
    && uv pip install --require-hashes --requirement needs.txt

FROM airflow-needs AS airflow-code
COPY README.md ./
COPY plugins plugins
RUN uv pip install --no-deps --target /opt/code .

# The BigQuery emulator and the offline publishers.
FROM python AS emulators
COPY --from=emulators-needs /opt/venv /opt/venv
COPY --from=emulators-code /opt/code /opt/code
COPY deploy/compose/health.py /opt/code/
ENV PATH=/opt/code/bin:$PATH PYTHONPATH=/opt/code
USER tarn
VOLUME /data
CMD ["tarn-bigquery", "--host", "0.0.0.0", "--data-dir", "/data"]

# fake-gcs-server, whose own image runs as root.
FROM fsouza/fake-gcs-server:1.56.1 AS objects
RUN mkdir /storage && chown 10001:10001 /storage
USER 10001:10001
VOLUME /storage

# Every service of Airflow, and the lake's own commands.
FROM python AS airflow
COPY --from=airflow-needs /opt/venv /opt/venv
COPY --from=airflow-code /opt/code /opt/code
WORKDIR /opt/tarn
COPY datasets datasets
COPY scripts scripts
COPY --chown=tarn dbt dbt
COPY dags dags
COPY deploy/compose deploy/compose
ENV PATH=/opt/code/bin:$PATH PYTHONPATH=/opt/code \
    TARN_ROOT=/opt/tarn TARN_HOME=/var/lib/tarn TARN_CREDENTIALS=/opt/tarn/credentials AIRFLOW_HOME=/var/lib/tarn/airflow
USER tarn
# dbt's packages lie in the project itself: nothing is fetched.
RUN DBT_LOG_PATH=/tmp dbt deps --quiet --project-dir dbt --profiles-dir dbt && rm -f /tmp/dbt.log
VOLUME /var/lib/tarn/airflow /var/lib/tarn/staging
CMD ["tarn", "--help"]
