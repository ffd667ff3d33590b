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
  - Returns what was seen as RV(evidence), and the records that the mail system calls for as RV(records), ready for
    C(community.general.nsupdate).
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
extends_documentation_fragment:
  - mailops.smtp._mail_dns
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
    var: dns.evidence.facts.spf.records

- name: Compare the DKIM key with the signer's
  mailops.smtp.mail_dns_info:
    domain: example.com
    checks: [dkim, dmarc]
    dkim:
      - selector: s2026
        public_key: "{{ lookup('ansible.builtin.file', 's2026.pub.pem') }}"
  delegate_to: localhost

- name: Find the records that are missing or wrong
  mailops.smtp.mail_dns_info:
    domain: example.com
    hostname: mail.example.com
    addresses: [192.0.2.25]
    on_finding: ignore
  delegate_to: localhost
  register: dns

- name: Publish them; the provider publishes PTR records
  community.general.nsupdate:
    server: 192.0.2.53
    zone: "{{ item.zone }}"
    record: "{{ item.record }}"
    type: "{{ item.type }}"
    value: "{{ item.value }}"
    ttl: "{{ item.ttl }}"
  loop: "{{ dns.records | selectattr('right', 'equalto', false) | rejectattr('type', 'equalto', 'PTR') }}"
  loop_control:
    label: "{{ item.lines | join(', ') }}"
  delegate_to: localhost
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
  description: The findings, in the order of O(checks).
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
questions:
  description: How many different questions were asked. Each is asked once.
  returned: when DNS was queried
  type: int
  sample: 41
seconds:
  description: How long the questions took.
  returned: when DNS was queried
  type: float
  sample: 0.3
evidence:
  description:
    - What was seen, as a document that can be saved, judged later and compared with another run. It has no verdicts.
    - A fact that was not asked for is V(null). A fact that could not be seen is V(null), too, and RV(evidence.unknown)
      says why. What does not exist is an empty list or V(false).
    - A text that has octets other than printable ASCII has them as a backslash and three decimal digits, and a
      backslash is doubled, as in a zone file. A text of more than 4096 octets is cut off.
  returned: when DNS was queried
  type: dict
  contains:
    version:
      description: The version of the document.
      type: int
      sample: 1
    kind:
      description: Always V(dns).
      type: str
      sample: dns
    subject:
      description: The mail domain.
      type: str
      sample: example.com
    seen_at:
      description: When the questions began, in UTC.
      type: str
      sample: "2026-03-01T12:00:00Z"
    seconds:
      description: How long the questions took.
      type: float
      sample: 0.3
    seen_from:
      description: The host that asked.
      type: dict
      sample: {host: controller, addresses: []}
    facts:
      description: The facts, in the parts C(mx), C(hosts), C(egress), C(spf), C(dkim), C(dmarc), C(mta_sts),
        C(tls_rpt), C(dane), C(dnssec), C(caa), C(blocklists) and C(authority).
      type: dict
      sample: {mx: [{preference: 10, host: mail.example.com}]}
    unknown:
      description: What could not be seen, each with its C(path) below the facts and the C(reason).
      type: list
      elements: dict
      sample: [{path: mx, reason: the MX lookup for example.com got no answer within 5 s}]
records:
  description:
    - The records that the mail system calls for, an entry for each name and type.
    - A record that is there and right stays as it is published. An SPF record that lacks some of O(addresses) gets
      terms for them.
    - Not proposed are the include of the operator of O(via), which the operator documents, and a DKIM key that was not
      given.
  returned: when DNS was queried
  type: list
  elements: dict
  contains:
    zone:
      description: The zone that has the record. Empty if it could not be found.
      type: str
      sample: example.com
    record:
      description: The name of the record, with its final dot.
      type: str
      sample: _dmarc.example.com.
    type:
      description: The type of the record.
      type: str
      sample: TXT
    value:
      description: All values of this name and type, as in a zone file. TXT records for other purposes are among them.
      type: list
      elements: str
      sample: ['"v=DMARC1; p=quarantine; rua=mailto:postmaster@example.com"']
    ttl:
      description: The time to live, in seconds.
      type: int
      sample: 3600
    lines:
      description: The same as lines of a zone file.
      type: list
      elements: str
      sample: ['_dmarc.example.com. 3600 IN TXT "v=DMARC1; p=quarantine; rua=mailto:postmaster@example.com"']
    there:
      description: Whether there is such a record already. V(null) if that could not be looked up.
      type: bool
      sample: false
    right:
      description: Whether what is there is right, so that nothing needs to change. V(null) if it could not be looked
        up, or not judged because another lookup failed; such a record must not be published, since that could replace
        others.
      type: bool
      sample: false
    note:
      description: What to know before publishing it. PTR records, for instance, are the provider's to publish.
      type: str
      sample: ""
mta_sts_policy:
  description: The policy to serve at C(https://mta-sts.DOMAIN/.well-known/mta-sts.txt), as text/plain. Empty without
    O(wanted.mta_sts_mode), and if the MX records could not be looked up.
  returned: when DNS was queried
  type: str
  sample: ""
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mailops.smtp.plugins.module_utils._module.dns import run
from ansible_collections.mailops.smtp.plugins.module_utils._module.dns_options import ARGUMENT_SPEC


def main() -> None:
    """Entry point of the module."""
    run(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True))


if __name__ == "__main__":
    main()
