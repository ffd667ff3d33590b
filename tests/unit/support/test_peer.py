# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faulty server of the tests itself."""

from __future__ import annotations

import gc
import socket
import ssl
import struct
import warnings

import trustme

from ansible_collections.mailops.smtp.tests.fault.peer import Peer

#: Of so many connections that end before TLS begins, some ended in the moment in which a socket was lost.
ROUNDS = 60
RESET = struct.pack("ii", 1, 0)


def test_client_that_resets_the_connection_before_tls_leaves_no_socket_open():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        for _round in range(ROUNDS):
            with Peer(tls=context) as peer, socket.create_connection(("127.0.0.1", peer.port)) as client:
                with client.makefile("rb") as stream:
                    stream.readline()
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    client.sendall(b"STARTTLS\r\n")
                    stream.readline()
                client.close()
        gc.collect()
    assert [str(one.message) for one in told if one.category is ResourceWarning] == []
