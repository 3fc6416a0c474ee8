"""The transport as far as it needs no socket; the rest is in `tests/integration`."""

import asyncio
import socket
import ssl
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from app.oci.failure import LookupFailedError
from app.oci.limits import Limits
from app.oci.registry import transport
from app.oci.registry.connecting import SystemResolver
from app.oci.registry.guard import RefusedAddressError, RegistryPolicy
from app.oci.registry.transport import Answer, Request

KEY = ConnectionKey("r.example", 443, True, True, None, None, None, None)


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def connecting(kind: type[aiohttp.ClientConnectorError], text: str) -> Exception:
    return kind(KEY, OSError(111, text))


def alert() -> ssl.SSLError:
    error = ssl.SSLError(1, "canary")
    error.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(
            connecting(aiohttp.ClientConnectorDNSError, "canary"),
            "NoSuchHost",
            id="dns",
        ),
        pytest.param(
            connecting(aiohttp.ClientConnectorError, "canary"),
            "CannotConnect",
            id="tcp",
        ),
        pytest.param(
            aiohttp.ClientConnectorCertificateError(
                KEY, ssl.CertificateError("canary")
            ),
            "UntrustedCertificate",
            id="certificate",
        ),
        pytest.param(
            connecting(aiohttp.ClientConnectorSSLError, "canary"), "TlsError", id="tls"
        ),
        pytest.param(
            caused(aiohttp.ClientOSError(1, "canary"), alert()),
            "CertificateRequired",
            id="client-certificate",
        ),
        pytest.param(
            caused(aiohttp.ClientOSError(1, "canary"), ssl.SSLError(1, "canary")),
            "NetworkError",
            id="another-alert",
        ),
        pytest.param(aiohttp.ClientPayloadError("canary"), "CutOff", id="payload"),
        pytest.param(
            aiohttp.ServerDisconnectedError("canary"), "NetworkError", id="end"
        ),
        pytest.param(OSError("canary"), "NetworkError", id="other"),
        pytest.param(
            caused(
                connecting(aiohttp.ClientConnectorDNSError, "canary"),
                RefusedAddressError("canary"),
            ),
            "AddressRefused",
            id="refused",
        ),
    ],
)
def test_a_failure_has_a_reason_and_words_of_ours(
    error: Exception, reason: str
) -> None:
    found, text = transport._failure(error, "r.example")
    assert reason == found
    assert "r.example" in text
    assert "canary" not in text


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("ftp://r.example/", id="scheme"),
        pytest.param("https://r.example:99999/", id="port"),
        pytest.param("https://[r.example/", id="brackets"),
        pytest.param("https:///x", id="no-host"),
        pytest.param("/v2/", id="relative"),
        pytest.param(f"https://{'x.' * 200}io/", id="long"),
        pytest.param("https://r example/", id="blank"),
        pytest.param("https://r.example\x00/", id="null"),
    ],
)
async def test_what_is_no_url_is_not_asked(url: str) -> None:
    with pytest.raises(LookupFailedError) as caught:
        transport._url(url)
    assert "BadAddress" == caught.value.reason


def test_a_name_in_unicode_is_checked_as_it_will_be_asked() -> None:
    assert "127.0.0.1" == transport._url("http://１２７.0.0.1/").raw_host
    assert "xn--4ca.example" == transport._url("http://ä.example/").raw_host


def test_neither_requests_nor_answers_show_what_may_be_secret() -> None:
    request = Request("GET", "https://r.example/", {"Authorization": "canary"})
    answer = Answer(200, {"location": "canary"}, body=b"canary")
    assert "canary" not in repr(request)
    assert "canary" not in repr(answer)


# Names -------------------------------------------------------------------------------


async def test_a_name_that_takes_for_ever_holds_up_no_other_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Threads for names are their own: the loop's stay free, and nobody waits."""
    names: list[str] = []

    def find(host: str, *_: Any, **__: Any) -> list[object]:
        names.append(host)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", find)
    resolver = SystemResolver()
    loop = asyncio.get_running_loop()
    before = loop._default_executor  # type: ignore[attr-defined]
    assert [] == await resolver.resolve("slow.example", 443)
    assert before is loop._default_executor  # type: ignore[attr-defined]
    assert ["slow.example"] == names
    await resolver.close()
    with pytest.raises(RuntimeError, match="after shutdown"):
        await resolver.resolve("slow.example", 443)


async def test_closing_ends_the_threads_too() -> None:
    made = transport.AiohttpTransport(RegistryPolicy(), Limits())
    sessions = [await made._open(is_proxied=one) for one in (False, True)]
    resolvers = list(made._resolvers)
    assert 2 == len(resolvers)
    await made.close()
    assert all(one.closed for one in sessions)
    for one in resolvers:
        with pytest.raises(RuntimeError, match="after shutdown"):
            await one._resolver.resolve("127.0.0.1", 443)  # type: ignore[attr-defined]
    await made.close()
