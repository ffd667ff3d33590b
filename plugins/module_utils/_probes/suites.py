# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of TLS numbers, as IANA registers them, and the weak groups of cipher suites."""

from __future__ import annotations

import typing as t

#: Oldest first.
VERSIONS: t.Mapping[str, int] = {
    "SSLv3": 0x0300,
    "TLSv1.0": 0x0301,
    "TLSv1.1": 0x0302,
    "TLSv1.2": 0x0303,
    "TLSv1.3": 0x0304,
}
#: Those of TLS 1.3 are not negotiated with older versions, and none of them is weak.
SUITES_1_3: t.Mapping[int, str] = {
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
}


def _numbered(first: int, key_exchange: str, *ciphers: str) -> dict[int, str]:
    """Return suites with consecutive numbers; an empty name leaves a number out."""
    return {number: f"TLS_{key_exchange}_WITH_{one}" for number, one in enumerate(ciphers, first) if one}


_EXPORT = ("RC4_40_MD5", "RC2_CBC_40_MD5", "DES40_CBC_SHA")
_OF_EC = ("NULL_SHA", "RC4_128_SHA", "3DES_EDE_CBC_SHA", "AES_128_CBC_SHA", "AES_256_CBC_SHA")
_GCM = ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384")
_CHACHA = "CHACHA20_POLY1305_SHA256"
#: Cipher suites up to TLS 1.2 by number, strongest first; without PSK, Kerberos, static DH and national ciphers.
SUITES: t.Mapping[int, str] = {
    **_numbered(0xC02B, "ECDHE_ECDSA", *_GCM),
    **_numbered(0xC02F, "ECDHE_RSA", *_GCM),
    **_numbered(0xCCA8, "ECDHE_RSA", _CHACHA),
    **_numbered(0xCCA9, "ECDHE_ECDSA", _CHACHA),
    **_numbered(0x009E, "DHE_RSA", *_GCM),
    **_numbered(0xCCAA, "DHE_RSA", _CHACHA),
    **_numbered(0x009C, "RSA", *_GCM),
    **_numbered(0x00A6, "DH_anon", *_GCM),
    **_numbered(0xC023, "ECDHE_ECDSA", "AES_128_CBC_SHA256", "AES_256_CBC_SHA384"),
    **_numbered(0xC027, "ECDHE_RSA", "AES_128_CBC_SHA256", "AES_256_CBC_SHA384"),
    **_numbered(0xC006, "ECDHE_ECDSA", *_OF_EC),
    **_numbered(0xC010, "ECDHE_RSA", *_OF_EC),
    **_numbered(0xC015, "ECDH_anon", *_OF_EC),
    **_numbered(0x0067, "DHE_RSA", "AES_128_CBC_SHA256"),
    **_numbered(0x006B, "DHE_RSA", "AES_256_CBC_SHA256"),
    **_numbered(0x006C, "DH_anon", "AES_128_CBC_SHA256", "AES_256_CBC_SHA256"),
    **_numbered(0x003B, "RSA", "NULL_SHA256", "AES_128_CBC_SHA256", "AES_256_CBC_SHA256"),
    **_numbered(0x002F, "RSA", "AES_128_CBC_SHA"),
    **_numbered(0x0033, "DHE_RSA", "AES_128_CBC_SHA"),
    **_numbered(0x0034, "DH_anon", "AES_128_CBC_SHA"),
    **_numbered(0x0035, "RSA", "AES_256_CBC_SHA"),
    **_numbered(0x0039, "DHE_RSA", "AES_256_CBC_SHA"),
    **_numbered(0x003A, "DH_anon", "AES_256_CBC_SHA"),
    **_numbered(0x0041, "RSA", "CAMELLIA_128_CBC_SHA"),
    **_numbered(0x0045, "DHE_RSA", "CAMELLIA_128_CBC_SHA"),
    **_numbered(0x0046, "DH_anon", "CAMELLIA_128_CBC_SHA"),
    **_numbered(0x0084, "RSA", "CAMELLIA_256_CBC_SHA"),
    **_numbered(0x0088, "DHE_RSA", "CAMELLIA_256_CBC_SHA"),
    **_numbered(0x0089, "DH_anon", "CAMELLIA_256_CBC_SHA"),
    **_numbered(0x0001, "RSA", "NULL_MD5", "NULL_SHA", "", "RC4_128_MD5", "RC4_128_SHA", "", "IDEA_CBC_SHA"),
    **_numbered(0x0009, "RSA", "DES_CBC_SHA", "3DES_EDE_CBC_SHA"),
    **_numbered(0x0015, "DHE_RSA", "DES_CBC_SHA", "3DES_EDE_CBC_SHA"),
    **_numbered(0x001A, "DH_anon", "DES_CBC_SHA", "3DES_EDE_CBC_SHA"),
    **_numbered(0x0018, "DH_anon", "RC4_128_MD5"),
    **_numbered(0x0003, "RSA_EXPORT", _EXPORT[0]),
    **_numbered(0x0006, "RSA_EXPORT", _EXPORT[1]),
    **_numbered(0x0008, "RSA_EXPORT", _EXPORT[2]),
    **_numbered(0x0014, "DHE_RSA_EXPORT", _EXPORT[2]),
    **_numbered(0x0017, "DH_anon_EXPORT", _EXPORT[0]),
    **_numbered(0x0019, "DH_anon_EXPORT", _EXPORT[2]),
}
#: Group -> what the names of its suites contain. CBC stands for suites that have no other weakness.
WEAK: t.Mapping[str, str] = {
    "NULL": "_WITH_NULL_",
    "EXPORT": "_EXPORT_",
    "RC4": "_RC4_",
    "DES": "_WITH_DES_",
    "3DES": "_3DES_",
    "ANON": "_anon_",
    "CBC": "_CBC_",
}


def weak_groups(name: str) -> tuple[str, ...]:
    """Return the weak groups that a suite belongs to; CBC only if it belongs to no other."""
    found = tuple(group for group, part in WEAK.items() if part in name)
    return found if found == ("CBC",) else tuple(one for one in found if one != "CBC")


GROUPS: t.Mapping[int, str] = {
    0x0017: "secp256r1",
    0x0018: "secp384r1",
    0x0019: "secp521r1",
    0x001D: "x25519",
    0x001E: "x448",
    0x0100: "ffdhe2048",
    0x0101: "ffdhe3072",
    0x0102: "ffdhe4096",
}
SIGNATURES: t.Mapping[int, str] = {
    0x0403: "ecdsa_secp256r1_sha256",
    0x0503: "ecdsa_secp384r1_sha384",
    0x0603: "ecdsa_secp521r1_sha512",
    0x0807: "ed25519",
    0x0808: "ed448",
    0x0804: "rsa_pss_rsae_sha256",
    0x0805: "rsa_pss_rsae_sha384",
    0x0806: "rsa_pss_rsae_sha512",
    0x0809: "rsa_pss_pss_sha256",
    0x080A: "rsa_pss_pss_sha384",
    0x080B: "rsa_pss_pss_sha512",
    0x0401: "rsa_pkcs1_sha256",
    0x0501: "rsa_pkcs1_sha384",
    0x0601: "rsa_pkcs1_sha512",
    0x0303: "ecdsa_sha224",
    0x0301: "rsa_pkcs1_sha224",
    0x0203: "ecdsa_sha1",
    0x0201: "rsa_pkcs1_sha1",
}
ALERTS: t.Mapping[int, str] = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    47: "illegal_parameter",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    109: "missing_extension",
    112: "unrecognized_name",
    116: "certificate_required",
    120: "no_application_protocol",
}
