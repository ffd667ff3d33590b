#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the DNS records of a mail domain and of the hosts that send for it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_dns_info
short_description: Check the DNS records of a mail domain and its mail hosts
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Looks up the DNS records that receiving mail servers use, and checks them as those servers do.
  - Each control has a stable id, such as V(MR-DNS-03). Each finding states what was found and what to do.
  - A control that cannot be decided, because a name server times out or fails, has the status V(error). This never
    fails the task.
  - Evaluates SPF in full (RFC 7208), with includes, redirects, macros and the limits that receivers apply.
options:
  domain:
    description:
      - The mail domain, the part of the sender addresses after the C(@). A final dot is removed, and a name in other
        scripts is converted to ASCII (IDNA).
    type: str
    required: true
  hostname:
    description:
      - The name that the mail server gives with EHLO. In Postfix this is C(myhostname), unless C(smtp_helo_name) is
        set.
      - If it is not set, V(MR-DNS-04) is not checked. A name that is not a fully qualified host name, such as an
        address literal or a name with an underscore, is a failure of V(MR-DNS-04).
    type: str
  addresses:
    description:
      - The IP addresses that mail leaves from, as seen from the Internet. Behind NAT, these are the public addresses.
      - A private address is accepted, for hosts that send in their own network only. A loopback, unspecified,
        link-local, multicast or reserved address is refused, because no mail to other hosts leaves from it.
    type: list
    elements: str
    default: []
  via:
    description:
      - Names or addresses of the upstream hosts (smarthosts) that take the outgoing mail, if any.
      - With O(via) and without O(addresses), the controls for this host's own address and name do not apply, because
        receivers see the upstream.
      - SPF is evaluated for the addresses of the upstream in the DNS, because those that it sends from are not known.
        V(MR-SPF-02) is V(pass) if all of them pass, and V(not_checked) otherwise, because many providers accept mail on
        other addresses than those they send from.
    type: list
    elements: str
    default: []
  checks:
    description:
      - The checks to run.
      - V(a) checks V(MR-DNS-04), that the EHLO name is fully qualified and resolves to one of O(addresses).
      - V(mx) checks V(MR-DNS-01), that the domain exists and has MX records, and that each target is a host name with
        an address and not an alias. A null MX is a failure for a domain that sends mail.
      - For V(a) and V(mx), each address must be one that other hosts can reach. Loopback, link-local and the like never
        are. Private addresses are accepted if one of O(addresses) is in the same private network (C(10.0.0.0/8), say),
        or if O(domain) is below a name of private networks, such as C(.test), C(.internal), C(.local), C(.lan) or
        C(.home.arpa). Documentation addresses are accepted for example domains, such as C(example.com).
      - V(ptr) checks V(MR-DNS-03), that each of O(addresses) has a reverse name that leads back to it, and the part of
        V(MR-DNS-04) that requires the EHLO name as the reverse name.
      - V(spf) checks V(MR-SPF-01), that the domain has one valid SPF record, and V(MR-SPF-02), that SPF passes each of
        O(addresses). A record that is mangled, or that is at another name than O(domain), is told.
      - V(spf) also checks V(MR-SPF-03), that a valid record neither lets hosts all over the Internet send, as V(+all)
        and V(ip4:0.0.0.0/0) do, nor gives them the result neutral, as V(?all) and a record without V(all) do, nor uses
        V(ptr). Includes and redirects are followed.
    type: list
    elements: str
    choices: [a, mx, ptr, spf]
    default: [a, mx, ptr, spf]
  on_finding:
    description:
      - What to do if a finding has the status V(fail).
      - V(warn) issues a warning for each of these findings.
      - V(fail) fails the task and lists them.
      - V(ignore) only returns them.
      - V(warn) and V(fail) also issue a warning for each finding with the status V(error), unless the task fails.
    type: str
    choices: [ignore, warn, fail]
    default: warn
  nameservers:
    description:
      - The IP addresses of the name servers to query, with a port if it is not 53, such as V(192.0.2.53),
        V(192.0.2.53:5353), V(2001:db8::53) or V([2001:db8::53]:5353).
      - By default, the name servers of the host on which the module runs.
    type: list
    elements: str
    default: []
  timeout:
    description:
      - Seconds to wait for the answer to one query, including all name servers and retries. More than 0.
    type: float
    default: 5.0
requirements:
  - dnspython >= 2.3 on the host on which the module runs
notes:
  - Run this module on the controller with C(delegate_to=localhost), so that the managed hosts do not need dnspython, or
    on a managed host to see the DNS as that host does.
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
- name: Check the DNS for a host that delivers mail directly
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

- name: Fail if receivers may reject the mail
  mailops.smtp.mail_dns_info:
    domain: example.com
    hostname: mail.example.com
    addresses: ["{{ public_address }}"]
    on_finding: fail
  delegate_to: localhost

- name: Query the zone's own name server
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
  description: The number of findings with each status. If the task fails, followed by a line for each failed finding.
  returned: always
  type: str
  sample: "DNS for example.com: 5 pass, 1 fail."
passed:
  description: V(true) if no finding has the status V(fail) or V(error).
  returned: when DNS was queried
  type: bool
  sample: false
findings:
  description: The findings, in the order of RV(records).
  returned: when DNS was queried
  type: list
  elements: dict
  contains:
    control:
      description: The stable id of the control.
      type: str
      sample: MR-DNS-03
    status:
      description:
        - The judgement.
        - V(error) means that the control could not be decided, V(not_checked) that a value that the check needs was not
          given or cannot be known, V(not_applicable) that the control does not apply to this subject.
      type: str
      choices: [pass, fail, error, not_applicable, not_checked]
      sample: fail
    severity:
      description: The impact of a failure.
      type: str
      choices: [critical, high, medium, low]
      sample: high
    subject:
      description: The domain, host name or address that was checked.
      type: str
      sample: 192.0.2.25
    message:
      description: What was found.
      type: str
      sample: 192.0.2.25 has no PTR record.
    remedy:
      description: What to do. Empty if there is nothing to do.
      type: str
      sample: Ask the provider of 192.0.2.25 to set its PTR record to mail.example.com.
    source:
      description: The rule behind the control.
      type: str
      sample: RFC 1912 section 2.1
nameservers:
  description: Addresses of the name servers that were asked, in this order.
  returned: when DNS was queried
  type: list
  elements: str
  sample: [192.0.2.53]
records:
  description:
    - The records that were found, for each of O(checks). Records that could not be looked up are missing; a finding
      gives the reason.
  returned: when DNS was queried
  type: dict
  contains:
    a:
      description: The addresses by name, for O(hostname).
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
          description: The preference. Lower values are tried first.
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
      description:
        - The SPF records of O(domain). A valid setup has exactly one.
        - An octet that is not printable ASCII is written as a backslash and three decimal digits, and a backslash is
          doubled, as in a zone file.
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
