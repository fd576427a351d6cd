"""Digests and fingerprints."""

from tarn_bigquery.sql.compiler.functions.registry import signature

for _name in ("MD5", "SHA1", "SHA256", "SHA512"):
    signature(f"{_name}(STRING) -> BYTES", f"googlesql_{_name.lower()}(encode({{0}}))")
    signature(f"{_name}(BYTES) -> BYTES", f"googlesql_{_name.lower()}({{0}})")
signature("FARM_FINGERPRINT(STRING) -> INT64", "googlesql_farm_fingerprint(encode({0}))")
signature("FARM_FINGERPRINT(BYTES) -> INT64", "googlesql_farm_fingerprint({0})")
