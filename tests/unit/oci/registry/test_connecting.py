"""What a proxy's name may resolve to, and who else is one."""

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from app.oci.registry.connecting import ProxyResolver
from app.oci.registry.guard import RefusedAddressError


class Loopback(AbstractResolver):
    """Everything is here."""

    is_closed = False

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        one = ResolveResult(
            hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
        )
        return [one]

    async def close(self) -> None:
        self.is_closed = True


async def test_a_proxy_may_be_anywhere() -> None:
    resolver = ProxyResolver({("proxy.example", 3128)}, Loopback())
    (found,) = await resolver.resolve("proxy.example", 3128)
    assert "127.0.0.1" == found["host"]


@pytest.mark.parametrize("where", [("proxy.example", 80), ("r.example", 3128)])
async def test_nothing_else_is_reached_there(where: tuple[str, int]) -> None:
    resolver = ProxyResolver({("proxy.example", 3128)}, Loopback())
    with pytest.raises(RefusedAddressError):
        await resolver.resolve(*where)


async def test_closing_closes_what_asks() -> None:
    inner = Loopback()
    await ProxyResolver((), inner).close()
    assert inner.is_closed
