"""A token server for distribution's `auth: token`, in this process.

It signs as a CA's own server: the registry trusts the authority, and each token
carries the certificate. A registry accepts a token for a minute after its end
(distribution's `Leeway`), so that tokens that are to end soon end before they begin.

Source: distribution `docs/content/spec/auth/{token,jwt}.md`.
"""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tests.tools.authority import Authority

SERVICE: Final = "registry.test"
ISSUER: Final = "tokens.test"
LEEWAY_SECONDS: Final = 60


@dataclass
class Tokens:
    """Gives tokens; may be changed while it serves.

    Attributes:
        authority: whose certificate signs, and answers for TLS.
        users: user -> password; `""` is whoever comes without one.
        grants: user -> repositories that are open to it.
        ends_seconds: how long the registry accepts a token; 5 minutes are said.
        actions: that they may do there.
        asked: user and scope of each request, in order.
        address: `127.0.0.1:PORT`, once it serves.
    """

    authority: Authority
    users: Mapping[str, str]
    grants: Mapping[str, Collection[str]]
    ends_seconds: int = 300
    actions: frozenset[str] = frozenset({"pull"})
    asked: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""

    @property
    def realm(self) -> str:
        """Where registries send their clients to."""
        return f"https://{self.address}/token"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Tokens]:
        """Serves on a free port of 127.0.0.1 until left."""
        application = web.Application()
        application.router.add_get("/token", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
        await runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.authority.certificate, self.authority.key)
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
            self.address = f"127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        scope = request.query.get("scope", "")
        given = request.headers.get("Authorization", "").removeprefix("Basic ")
        user, _, password = base64.b64decode(given).decode().partition(":")
        self.asked.append((user, scope))
        if self.users.get(user) != password:
            return web.json_response({"errors": []}, status=401)
        assert SERVICE == request.query.get("service")
        token = self._token(user, scope)
        return web.json_response({"token": token, "expires_in": 300})

    def _token(self, user: str, scope: str) -> str:
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        granted = [one for one in actions.split(",") if one in self.actions]
        if kind != "repository" or name not in self.grants.get(user, ()):
            granted = []
        access = [{"type": kind, "name": name, "actions": granted}] if granted else []
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": user,
            "aud": SERVICE,
            "exp": now - LEEWAY_SECONDS + self.ends_seconds,
            "nbf": now - 2 * LEEWAY_SECONDS,
            "iat": now,
            "jti": secrets.token_hex(8),
            "access": access,
        }
        return _signed(claims, self.authority)


def _signed(claims: Mapping[str, object], authority: Authority) -> str:
    """A JWT whose header carries the certificate of the key that signs it."""
    leaf = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    chain = [base64.b64encode(leaf.public_bytes(serialization.Encoding.DER)).decode()]
    header = {"typ": "JWT", "alg": "ES256", "x5c": chain}
    text = ".".join(_url64(json.dumps(one).encode()) for one in (header, claims))
    key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(signature)
    return f"{text}.{_url64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _url64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
