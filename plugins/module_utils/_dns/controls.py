# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controls of the catalogue that the DNS can decide, by the names that the checks use."""

from __future__ import annotations

from .._controls.catalogue import CATALOGUE
from .scope import is_private_name, is_within

MX = CATALOGUE["MR-DNS-01"]
PARKED = CATALOGUE["MR-DNS-02"]
FCRDNS = CATALOGUE["MR-DNS-03"]
HELO = CATALOGUE["MR-DNS-04"]
IPV6 = CATALOGUE["MR-DNS-06"]
DNSSEC = CATALOGUE["MR-DNS-07"]
VALIDATION = CATALOGUE["MR-DNS-08"]
BLOCKLISTS = CATALOGUE["MR-DNS-09"]
CAA = CATALOGUE["MR-DNS-10"]
AUTHORITY = CATALOGUE["MR-DNS-11"]
SPF_RECORD = CATALOGUE["MR-SPF-01"]
SPF_PASS = CATALOGUE["MR-SPF-02"]
SPF_LIMITS = CATALOGUE["MR-SPF-03"]
SPF_POLICY = CATALOGUE["MR-SPF-04"]
SPF_HELO = CATALOGUE["MR-SPF-05"]
DKIM_RECORD = CATALOGUE["MR-DKIM-01"]
DKIM_MATCH = CATALOGUE["MR-DKIM-02"]
DKIM_STRENGTH = CATALOGUE["MR-DKIM-03"]
DMARC_RECORD = CATALOGUE["MR-DMARC-01"]
DMARC_POLICY = CATALOGUE["MR-DMARC-02"]
DMARC_REPORTS = CATALOGUE["MR-DMARC-03"]
DMARC_TAGS = CATALOGUE["MR-DMARC-05"]
MTA_STS = CATALOGUE["MR-STS-01"]
TLS_RPT = CATALOGUE["MR-STS-02"]
DANE = CATALOGUE["MR-DANE-01"]
DANE_MATCH = CATALOGUE["MR-DANE-02"]


def remedy_for_domain(domain: str) -> str:
    """What to do if a mail domain does not exist in the DNS."""
    if is_private_name(domain) and not is_within(domain, ["test"]):
        return f"Use a registered domain, or set nameservers to those of the private network that has {domain}."
    return f"Check the spelling of {domain}, its registration and its delegation."
