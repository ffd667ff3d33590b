#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What DNS says about a mail domain and the hosts that send for it, with findings."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_dns_info
short_description: Check what DNS says about a mail domain and its mail hosts
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Looks up the DNS records that receivers of mail look at, and judges them as receivers do.
  - Each control has a stable id, such as V(MR-DNS-03), and each finding says in one sentence what was found, and in
    another what to do.
  - What cannot be decided, because a name server times out or fails, has the status V(error). It is never a failure.
  - SPF is evaluated in full (RFC 7208), with the includes, redirects, macros and limits that receivers apply.
options:
  domain:
    description:
      - The mail domain, the part behind the C(@) of the senders.
    type: str
    required: true
  hostname:
    description:
      - The name the mail server gives with EHLO. In Postfix this is C(myhostname), unless C(smtp_helo_name) is set.
      - Without it, V(MR-DNS-04) is not checked.
    type: str
  addresses:
    description:
      - The IP addresses mail leaves from, as the Internet sees them. Behind NAT, these are the public ones.
    type: list
    elements: str
    default: []
  via:
    description:
      - Names or addresses of the upstream hosts (smarthosts) that carry the mail, when there are any.
      - With O(via) and no O(addresses), the controls about this host's own address and name do not apply, as
        receivers see the upstream.
      - The upstream's addresses in DNS then stand for those it sends from. V(MR-SPF-02) is V(pass) when SPF passes them
        all, and V(not_checked) otherwise, because many providers send from other addresses than they take mail at.
    type: list
    elements: str
    default: []
  checks:
    description:
      - What to check.
      - V(a) is V(MR-DNS-04), the EHLO name is fully qualified and resolves to one of O(addresses).
      - V(mx) is V(MR-DNS-01), the domain has MX records, and each target has an address and is not an alias. A null MX
        fails a domain that sends mail.
      - V(ptr) is V(MR-DNS-03), each of O(addresses) has a reverse name that leads back to it, and the part of
        V(MR-DNS-04) that asks for the EHLO name as the reverse name.
      - V(spf) is V(MR-SPF-01), the domain has one valid SPF record, and V(MR-SPF-02), SPF passes each of O(addresses).
    type: list
    elements: str
    choices: [a, mx, ptr, spf]
    default: [a, mx, ptr, spf]
  on_finding:
    description:
      - What to do about findings with the status V(fail).
      - V(warn) gives a warning for each of them.
      - V(fail) fails the task and lists all of them.
      - V(ignore) only returns them.
      - With V(warn) and V(fail), there is also a warning for each finding with the status V(error).
    type: str
    choices: [ignore, warn, fail]
    default: warn
  nameservers:
    description:
      - The IP addresses of the name servers to ask, each with a port if it is not 53, as V(192.0.2.53),
        V(192.0.2.53:5353), V(2001:db8::53) or V([2001:db8::53]:5353).
      - By default those of the host on which the module runs.
    type: list
    elements: str
    default: []
  timeout:
    description:
      - Seconds to wait for the answer to one question, over all name servers and retries.
    type: float
    default: 5.0
requirements:
  - dnspython >= 2.3 on the host on which the module runs
notes:
  - Run it on the controller with C(delegate_to=localhost) to need nothing on the managed hosts, or on a managed host to
    see DNS as that host does.
attributes:
  check_mode:
    description: Can run in check mode and return changed status prediction without modifying the target.
    support: full
    details:
      - This module never changes anything.
  diff_mode:
    description: Returns details on what has changed when in diff mode.
    support: none
    details:
      - This module never changes anything.
  idempotent:
    description: When run twice in a row with the same arguments, the second invocation indicates no change.
    support: full
    details:
      - This module never changes anything.
"""

EXAMPLES = r"""
- name: Check DNS for a host that delivers mail itself
  mailops.smtp.mail_dns_info:
    domain: example.com
    hostname: mail.example.com
    addresses:
      - 192.0.2.25
      - 2001:db8::25
  delegate_to: localhost

- name: Check that SPF lets the upstream send for the domain
  mailops.smtp.mail_dns_info:
    domain: example.com
    via: [smtp.provider.example]
    checks: [mx, spf]
  delegate_to: localhost

- name: Stop when a receiver would object
  mailops.smtp.mail_dns_info:
    domain: example.com
    hostname: mail.example.com
    addresses: ["{{ public_address }}"]
    on_finding: fail
  delegate_to: localhost

- name: Ask the zone's own name server, and read the answer
  mailops.smtp.mail_dns_info:
    domain: example.com
    checks: [spf]
    nameservers: [192.0.2.53]
    on_finding: ignore
  register: dns

- name: Show the SPF record
  ansible.builtin.debug:
    var: dns.records.spf
"""

RETURN = r"""
msg:
  description: How many findings there are of each status. On failure, followed by a line for each failed finding.
  returned: always
  type: str
  sample: "DNS for example.com: 5 pass, 1 fail."
passed:
  description: Whether no finding has the status V(fail) or V(error).
  returned: when DNS was asked
  type: bool
  sample: false
findings:
  description: What was judged, in the order of RV(records).
  returned: when DNS was asked
  type: list
  elements: dict
  contains:
    control:
      description: The stable id of the control.
      type: str
      sample: MR-DNS-03
    status:
      description:
        - The outcome.
        - V(error) means that it could not be decided, V(not_checked) that something needed to judge it was not given or
          cannot be known, V(not_applicable) that it asks nothing of this subject.
      type: str
      choices: [pass, fail, error, not_applicable, not_checked]
      sample: fail
    severity:
      description: How much a failure matters.
      type: str
      choices: [critical, high, medium, low]
      sample: high
    subject:
      description: What was judged, a domain, a host name or an address.
      type: str
      sample: 192.0.2.25
    message:
      description: What was found.
      type: str
      sample: 192.0.2.25 has no PTR record.
    remedy:
      description: What to do, empty when there is nothing to do.
      type: str
      sample: Ask whoever assigns 192.0.2.25 to set its PTR record to mail.example.com.
    source:
      description: The rule behind the control.
      type: str
      sample: RFC 1912 section 2.1
records:
  description:
    - The records that were seen, for each of O(checks). What could not be looked up is missing; a finding tells why.
  returned: when DNS was asked
  type: dict
  contains:
    a:
      description: The addresses of O(hostname), by name.
      returned: when O(checks) has V(a)
      type: dict
      sample: {mail.example.com: [192.0.2.25, "2001:db8::25"]}
    mx:
      description: The MX records of O(domain), by preference. A null MX has an empty RV(records.mx[].exchange).
      returned: when O(checks) has V(mx)
      type: list
      elements: dict
      contains:
        preference:
          description: The preference; lower is tried first.
          type: int
          sample: 10
        exchange:
          description: The name of the mail server.
          type: str
          sample: mail.example.com
        addresses:
          description: The addresses of the mail server.
          type: list
          elements: str
          sample: [192.0.2.25]
    ptr:
      description: The reverse names of O(addresses), by address.
      returned: when O(checks) has V(ptr)
      type: dict
      sample: {192.0.2.25: [mail.example.com]}
    spf:
      description: The SPF records of O(domain), of which there should be one.
      returned: when O(checks) has V(spf)
      type: list
      elements: str
      sample: ["v=spf1 mx -all"]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mailops.smtp.plugins.module_utils._module.dns import CHECK_NAMES, run

ARGUMENT_SPEC = {
    "domain": {"type": "str", "required": True},
    "hostname": {"type": "str"},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "via": {"type": "list", "elements": "str", "default": []},
    "checks": {"type": "list", "elements": "str", "choices": list(CHECK_NAMES), "default": list(CHECK_NAMES)},
    "on_finding": {"type": "str", "choices": ["ignore", "warn", "fail"], "default": "warn"},
    "nameservers": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 5.0},
}


def main() -> None:
    """Entry point of the module."""
    run(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True))


if __name__ == "__main__":
    main()
