# The two emulators as one small image: the BigQuery emulator and the offline publishers.
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock ./
COPY emulators ./emulators
# The lock pins what is installed; its hashes cover the packages that are not the emulators themselves.
RUN pip install --no-cache-dir uv && uv venv /opt/tarn && VIRTUAL_ENV=/opt/tarn uv pip install --no-cache \
    --constraint requirements.lock ./emulators/bigquery ./emulators/publishers

FROM python:3.12-slim-bookworm
RUN useradd --create-home --uid 10001 tarn && install -d -o tarn /data
COPY --from=build /opt/tarn /opt/tarn
ENV PATH=/opt/tarn/bin:$PATH
USER tarn
VOLUME /data
CMD ["tarn-bigquery", "--host", "0.0.0.0", "--data-dir", "/data"]
