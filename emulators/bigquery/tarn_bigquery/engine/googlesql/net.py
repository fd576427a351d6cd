"""Functions of NET: hosts and addresses."""

import ipaddress
import re

from tarn_bigquery.engine.googlesql.udf import GoogleSqlError, function

_IPV4_BYTES = 4
_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)", re.ASCII)
# The public suffixes of two parts that are common; the whole list belongs to publicsuffix.org.
_TWO_PARTS = {"co.uk", "org.uk", "ac.uk", "gov.uk", "com.au", "net.au", "org.au", "co.jp", "co.nz", "com.br", "co.in",
              "co.kr", "com.cn", "com.mx", "co.za"}  # fmt: skip


@function("net_host(VARCHAR) -> VARCHAR")
def host(url: str) -> str | None:
    text = url.strip()
    found = _HOST.match(text if "//" in text else f"//{text}")
    return found[1] or None if found else None


@function("net_public_suffix(VARCHAR) -> VARCHAR")
def public_suffix(url: str) -> str | None:
    labels = _labels(url)
    if labels is None:
        return None
    return ".".join(labels[-2:]) if ".".join(labels[-2:]).lower() in _TWO_PARTS else labels[-1]


@function("net_reg_domain(VARCHAR) -> VARCHAR")
def reg_domain(url: str) -> str | None:
    labels, suffix = _labels(url), public_suffix(url)
    if labels is None or suffix is None:
        return None
    size = suffix.count(".") + 2
    return ".".join(labels[-size:]) if len(labels) >= size else None


def _labels(url: str) -> list[str] | None:
    name = host(url)
    if name is None or name.startswith("[") or re.fullmatch(r"[\d.]+", name) or "." not in name:
        return None
    return name.strip(".").split(".")


@function("net_ip_from_string(VARCHAR) -> BLOB")
def ip_from_string(text: str) -> bytes:
    try:
        return ipaddress.ip_address(text).packed
    except ValueError as error:
        raise GoogleSqlError(f"Invalid IP address: {text}") from error


@function("net_ip_to_string(BLOB) -> VARCHAR")
def ip_to_string(data: bytes) -> str:
    if len(data) not in {4, 16}:
        raise GoogleSqlError(f"Invalid IP address of {len(data)} bytes")
    return str(ipaddress.ip_address(data))


@function("net_ip_net_mask(BIGINT, BIGINT) -> BLOB")
def ip_net_mask(size: int, prefix: int) -> bytes:
    if size not in {4, 16} or not 0 <= prefix <= size * 8:
        raise GoogleSqlError(f"NET.IP_NET_MASK: invalid size {size} or prefix {prefix}")
    return (((1 << prefix) - 1) << (size * 8 - prefix)).to_bytes(size, "big")


@function("net_ip_trunc(BLOB, BIGINT) -> BLOB")
def ip_trunc(data: bytes, prefix: int) -> bytes:
    mask = ip_net_mask(len(data), prefix)
    return bytes(one & other for one, other in zip(data, mask, strict=True))


@function("net_ipv4_from_int64(BIGINT) -> BLOB")
def ipv4_from_int64(value: int) -> bytes:
    if not -(2**31) <= value < 2**32:
        raise GoogleSqlError(f"NET.IPV4_FROM_INT64() encountered an out-of-range INT64: {value}")
    return (value & 0xFFFF_FFFF).to_bytes(4, "big")


@function("net_ipv4_to_int64(BLOB) -> BIGINT")
def ipv4_to_int64(data: bytes) -> int:
    if len(data) != _IPV4_BYTES:
        raise GoogleSqlError(f"NET.IPV4_TO_INT64() encountered a non-IPv4 address of {len(data)} bytes")
    return int.from_bytes(data, "big")
