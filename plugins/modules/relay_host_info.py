#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""See what a host is and has, and what keeps it from being a relay."""

from __future__ import annotations

DOCUMENTATION = r"""
module: relay_host_info
short_description: See what a host is and has, and what keeps it from being a relay
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Returns in one answer what the role C(mailops.smtp.relay) has to know of a host. The platform, packages, Postfix,
    login mechanisms, firewall and addresses.
  - Everything is asked of the host when the task runs. Gathered or cached facts are not used.
  - Turns nothing on and changes nothing. Needs no network and no list of packages.
extends_documentation_fragment:
  - mailops.smtp._attributes
attributes:
  check_mode:
    support: full
    details: Changes nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  packages:
    description: Names of packages to look for.
    type: list
    elements: str
    default: []
  firewall:
    description:
      - The firewall to use, as in O(mailops.smtp.mail_firewall_info#module:backend).
      - V(none) means that no firewall is needed, and asks for none.
    type: str
    choices: [auto, firewalld, ufw, nftables, none]
    default: auto
  ports:
    description: As O(mailops.smtp.mail_firewall_info#module:ports).
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description: TCP port.
        type: int
        required: true
      from:
        description: Addresses and networks that may connect. By default, any.
        type: list
        elements: str
        default: []
  parameters:
    description: Names of parameters of main.cf for which to ask the installed Postfix.
    type: list
    elements: str
    default: []
  directories:
    description: Directories to look into.
    type: list
    elements: path
    default: []
  platforms:
    description:
      - The platforms for which the caller has values. The name of each is a distribution and its version, such as
        C(Debian-13), C(Ubuntu-24.04) or C(RedHat-9), or only a distribution.
      - Each has C(package_manager), or says as C(unsupported) why it cannot be used. Other values are ignored.
    type: dict
    default: {}
  platform:
    description: Name of the platform in O(platforms) to use for a host that has none of its own. V(auto) is none.
    type: str
    default: auto
  certificate:
    description:
      - What the role tells its program about a certificate that lives on the host, to see whether it can be used.
      - A dictionary with the file to write as C(file), the C(names) that clients connect to, the files to read as
        C(source) with C(chain) and C(key), the order as C(acme), and outer C(addresses) of the host.
    type: dict
    default: {}
seealso:
  - module: mailops.smtp.mail_firewall_info
  - module: mailops.smtp.postfix_info
"""

EXAMPLES = r"""
- name: Look at the host
  mailops.smtp.relay_host_info:
    packages: [postfix, dovecot-core]
  register: host
  become: true

- name: Stop if something keeps it from being a relay
  ansible.builtin.assert:
    that: host.problems | length == 0
    fail_msg: "{{ host.problems | join(' ') }}"
"""

RETURN = r"""
problems:
  description:
    - What keeps the role from working on this host and what to do, one sentence or two each.
    - If the task does not run as root, this is the only problem, since nothing else can be judged.
  type: list
  elements: str
  returned: always
  sample: []
check_mode:
  description:
    - Whether the task ran in check mode, for tasks that depend on it. C(ansible_check_mode) is only about the command
      line, and not about C(check_mode) of a play, block or task.
  type: bool
  returned: always
platform:
  description: The operating system, from C(/etc/os-release).
  type: dict
  returned: always
  contains:
    id:
      description: Name for programs.
      type: str
      sample: debian
    like:
      description: Names of the systems from which it is derived, the closest first.
      type: list
      elements: str
      sample: []
    version:
      description: Version. Empty if it has none, such as Debian's testing.
      type: str
      sample: "13"
    major:
      description: Version up to the first dot.
      type: str
      sample: "13"
    entry:
      description: Name of the platform in O(platforms) that this host is or is treated as. Empty if there is none.
      type: str
      sample: Debian-13
    name:
      description: Name for people.
      type: str
      sample: Debian GNU/Linux 13 (trixie)
systemd:
  description: Whether systemd runs.
  type: bool
  returned: always
package_manager:
  description: What installs packages, V(apt) or V(dnf).
  type: str
  returned: always
packages:
  description: Versions of the packages of O(packages) that are installed and configured, by name.
  type: dict
  returned: always
  sample: {postfix: 3.10.13-0+deb13u1}
package_lock:
  description: The program that is installing packages now. Empty if there is none, or with dnf.
  type: str
  returned: always
  sample: apt-get (process 1234)
postfix:
  description:
    - C(version) and C(map_types) as in M(mailops.smtp.postfix_info), and as C(parameters) those of O(parameters) that
      the installed Postfix knows.
  type: dict
  returned: always
transactions:
  description: Names of the transactions of M(mailops.smtp.config_transaction) that the host has, without root none.
  type: list
  elements: str
  returned: always
  sample: [relay, relay_firewall]
directories:
  description: The names in each directory of O(directories) that exists and can be read, by its path.
  type: dict
  returned: always
  sample: {/var/lib/postfix-oauth: [gmail.token]}
mechanisms:
  description: Mechanisms with which Postfix on this host can log in to a server. Empty without Cyrus SASL.
  type: list
  elements: str
  returned: always
  sample: [CRAM-MD5, LOGIN, PLAIN, SCRAM-SHA-256]
firewall:
  description: The values of M(mailops.smtp.mail_firewall_info).
  type: dict
  returned: always
takeover:
  description: What the host does with mail now, as RV(mailops.smtp.postfix_info#module:takeover).
  type: dict
  returned: always
certificate:
  description: What is known of the certificate of O(certificate).
  type: dict
  returned: always
  contains:
    problems:
      description: What keeps it from being used or ordered and what to do, one sentence or two each.
      type: list
      elements: str
      sample: []
    due:
      description: Why it must be ordered or installed. Empty if it need not.
      type: str
      sample: ""
    installed:
      description: Whether the file to write exists.
      type: bool
    folders:
      description: Where the files to read change, also if their paths are links.
      type: list
      elements: str
      sample: [/etc/ssl/company]
addresses:
  description: Addresses from which other hosts receive the connections of this host, at most one of each IP version.
  type: list
  elements: str
  returned: always
  sample: [192.0.2.10]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.relay_host import ARGUMENTS, run_info


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    run_info(module)


if __name__ == "__main__":
    main()
