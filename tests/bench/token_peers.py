# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other ways to log in with OAuth2, on the lab's relay: a plugin in Postfix's client, and a proxy beside it.

The script ``token_peers`` brings both; without it they are left out. Each is the role's configuration with a password,
changed as the peer's documentation says.
"""

from __future__ import annotations

import configparser
import io
import json
import subprocess
import tarfile
import typing as t
from pathlib import Path

from ansible_collections.mailops.smtp.tests.bench.measure import BENCH
from ansible_collections.mailops.smtp.tests.bench.throughput import RELAY, run, ssh
from ansible_collections.mailops.smtp.tests.lab.suite import oauth

FILES = BENCH / "token_peers"
USER = "relay@provider.test"
#: The provider's ports: one for logins with a password, and one for logins with a token.
PASSWORD_PORT, TOKEN_PORT = 2595, 2596
PLUGIN, PROXY = "sasl-xoauth2", "emailproxy"
PROXY_PORT = 2587
#: The plugin reads and writes this file inside smtp(8), which runs as postfix.
TOKEN = "/var/lib/bench-token/token"
UNIT = """
[Unit]
ConditionPathExists=/etc/postfix/emailproxy.ini
[Service]
Environment=PYTHONPATH=/srv/token_peers/emailproxy PYTHONDONTWRITEBYTECODE=1
RuntimeDirectory=bench-emailproxy
ExecStart=/usr/bin/python3 -m emailproxy --no-gui --config-file /etc/postfix/emailproxy.ini \
  --cache-store /run/bench-emailproxy/cache
"""
#: Starts the proxy if the configuration of Postfix is the one that uses it, and stops it otherwise.
START_PROXY = f"""
systemctl reset-failed bench-emailproxy 2>/dev/null || true  # or systemd refuses the fifth start in ten seconds
systemctl restart bench-emailproxy
[ ! -e /etc/postfix/emailproxy.ini ] || until ss -Hltn 'sport = :{PROXY_PORT}' | grep -q . ; do sleep 0.05; done
"""


def names() -> t.Sequence[str]:
    """Return the peers that are there."""
    return (PLUGIN, PROXY) if FILES.is_dir() else ()


def install(passwords: t.Mapping[str, str]) -> None:
    """Install both on the relay; neither does anything before a configuration of Postfix uses it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(FILES, "token_peers")
    subprocess.run(ssh(RELAY, "tar --extract --directory=/srv"), input=packed.getvalue(), check=True, timeout=60)
    run(RELAY, INSTALL)
    secret = {"client_id": "app", "client_secret": passwords["app.secret"]}
    _write("/etc/sasl-xoauth2.conf", json.dumps({**secret, "token_endpoint": oauth.TOKEN_URL}), "root:postfix 0640")
    token = {"access_token": "", "expiry": "0", "refresh_token": passwords["app.refresh_token"]}
    _write(TOKEN, json.dumps(token), "postfix:postfix 0600")
    _write("/etc/systemd/system/bench-emailproxy.service", UNIT, "root:root 0644")
    account = {
        "token_url": oauth.TOKEN_URL,
        "oauth2_scope": "https://outlook.office365.com/.default",
        "oauth2_flow": "client_credentials",
        "redirect_uri": "http://localhost",
        **secret,
    }
    server = {
        "server_address": oauth.HOST,
        "server_port": TOKEN_PORT,
        "server_starttls": True,
        "local_address": "127.0.0.1",
    }
    file = configparser.ConfigParser(interpolation=None)
    file.read_dict({f"SMTP-{PROXY_PORT}": server, USER: account})
    text = io.StringIO()
    file.write(text)
    _write("/srv/emailproxy.ini", text.getvalue(), "root:root 0600")


INSTALL = f"""
apt-get install --quiet=2 --yes --no-install-recommends libcurl4t64 >/dev/null 2>&1
cd /srv/token_peers/plugin && cp libjson* /usr/lib/*-linux-gnu && cp libsasl* /usr/lib/*-linux-gnu/sasl2
ldconfig
install -d -o postfix -g postfix -m 0700 {Path(TOKEN).parent}
"""
#: How a configuration with a password becomes one of a peer.
CHANGES: t.Mapping[str, str] = {
    PLUGIN: f"""
sed -i 's/:{PASSWORD_PORT}/:{TOKEN_PORT}/' main.cf
sed -i 's/:{PASSWORD_PORT}/:{TOKEN_PORT}/; s|{USER}:.*|{USER}:{TOKEN}|' relay_login_*
""",
    PROXY: f"""
sed -i 's/\\[{oauth.HOST}]:{PASSWORD_PORT}/[127.0.0.1]:{PROXY_PORT}/' main.cf relay_login_*
sed -i 's/smtp_tls_security_level = secure/smtp_tls_security_level = none/' master.cf
echo 'smtp_sasl_security_options = noanonymous' >>main.cf
cp /srv/emailproxy.ini .
""",
}


def prepare(peer: str, password: str) -> None:
    """Prepare the configuration of a peer in /srv/bench of the relay, from the one with a password."""
    run(RELAY, f"cd /srv/bench && rm -rf {peer} && cp -a '{password}' {peer} && cd {peer}\n{CHANGES[peer]}")


def _write(path: str, text: str, rights: str) -> None:
    """Write a file on the relay that no other user reads meanwhile."""
    owner, mode = rights.split()
    command = f"umask 077; cat >{path} && chown {owner} {path} && chmod {mode} {path}"
    subprocess.run(ssh(RELAY, command), input=text.encode(), check=True, timeout=60)
