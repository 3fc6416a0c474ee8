"""The certificate that a replica shows to whoever connects."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from cryptography import x509

from app.certificates.pair import fingerprint
from tests.tools.replica import Replica


def leaf(replica: Replica) -> str:
    """Its PEM, by a handshake of our own; empty if there is none at the moment."""
    try:
        return ssl.get_server_certificate(("127.0.0.1", replica.port("https")))
    except OSError:
        return ""


def fingerprints(replicas: Sequence[Replica]) -> list[str]:
    """Of what each of them shows; empty for one that shows nothing."""
    return [fingerprint_of(leaf(one)) for one in replicas]


def fingerprint_of(pem: str | bytes) -> str:
    """Of the first certificate in a PEM text; empty if there is none."""
    text = pem if isinstance(pem, bytes) else pem.encode()
    return fingerprint(x509.load_pem_x509_certificates(text)[0]) if text else ""
