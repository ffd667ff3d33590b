# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login mechanisms of Cyrus SASL on this host, asked of the library that Postfix uses."""

from __future__ import annotations

import ctypes
import glob

LIBRARIES = ("libsasl2.so.2", "libsasl2.so.3")
#: EXTERNAL is in the library, but Postfix's client never offers it (xsasl_cyrus_client.c sets no external identity).
#: ANONYMOUS does not identify anyone.
_NOT_FOR_POSTFIX = ("EXTERNAL", "ANONYMOUS")
#: Answers only to prompts of a desktop, which Postfix has none of; it claims XOAUTH2.
_DESKTOP_PLUGINS = ("/usr/lib/sasl2/libkdexoauth2.so", "/usr/lib*/*/sasl2/libkdexoauth2.so")


def client_mechanisms() -> list[str]:
    """Return the mechanisms with which Postfix on this host can log in, sorted; empty if Cyrus SASL is missing."""
    desktop = any(map(glob.glob, _DESKTOP_PLUGINS))
    unusable = {*_NOT_FOR_POSTFIX, *(["XOAUTH2"] if desktop else [])}
    return sorted({name.upper() for name in _registered()} - unusable)


def _registered() -> list[str]:
    """List the mechanisms of all plug-ins (sasl_global_listmech(3))."""
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            library.sasl_global_listmech.restype = ctypes.POINTER(ctypes.c_char_p)
            if library.sasl_client_init(None):
                return []
            found = library.sasl_global_listmech()
        except (OSError, AttributeError):
            continue
        names = []
        for one in found or ():
            if one is None:
                break
            names.append(one.decode("ascii", "replace"))
        return names
    return []
