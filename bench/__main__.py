"""`python -m bench`: one JSON line for each figure.

Each line has `name`, `value`, `unit`, `goal`, `met` and `beside`: what the value
was measured against in the same run, so that a slow machine slows both.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path

import aiohttp
import msgspec

from app.compat import features, matching, parse, status
from app.demo import images, scenarios, story
from bench.figure import Figure, show

CONNECTIONS = 25
SECONDS = 4.0


def judge_one_node() -> Figure:
    """One recorded host against a spec of the demo, report included."""
    host = resources.files("app.demo") / "data" / "hosts" / "ubuntu2404-metal-h100.json"
    node = features.from_json(msgspec.json.decode(host.read_bytes()))
    spec = parse.read(images.spec("cuda-12.4"))

    def once() -> None:
        status.to_json(status.report(matching.judge(spec, node)))

    def decode() -> None:
        msgspec.json.decode(host.read_bytes())

    return Figure(
        name="judge_one_node",
        value=_median_seconds(once) * 1e6,
        unit="microseconds",
        goal=1000.0,
        beside={
            "decoding that node's JSON, microseconds": _median_seconds(decode) * 1e6
        },
    )


def _median_seconds(act: Callable[[], object], times: int = 200) -> float:
    samples: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        samples.append(time.perf_counter() - started)
    return statistics.median(samples)


async def reviews() -> list[Figure]:
    """Reviews of a Pod whose image is known, over TLS, beside a bare answer."""
    with tempfile.TemporaryDirectory() as folder:
        async with story.running(Path(folder)) as demo:
            context = ssl.create_default_context(cafile=str(demo.authority))
            connector = aiohttp.TCPConnector(ssl=context, limit=CONNECTIONS)
            async with aiohttp.ClientSession(connector=connector) as session:
                base = f"https://127.0.0.1:{demo.port}"
                body = _review()

                async def review() -> None:
                    headers = {"Content-Type": "application/json"}
                    url = f"{base}/v1/validate?timeout=5s"
                    async with session.post(url, data=body, headers=headers) as answer:
                        await answer.read()

                async def bare() -> None:
                    async with session.get(f"{base}/healthz") as answer:
                        await answer.read()

                await review()
                bare_rate, _ = await _load(bare)
                rate, slowest = await _load(review)
    return [
        Figure(
            name="reviews_demo_cluster",
            value=rate / bare_rate,
            unit="share of a bare answer's rate",
            goal=None,
            beside={"reviews per second": rate, "bare answers per second": bare_rate},
        ),
        Figure(
            name="reviews_demo_cluster_p99",
            value=slowest * 1000,
            unit="milliseconds",
            goal=None,
            beside={"connections": CONNECTIONS},
        ),
    ]


def _review() -> bytes:
    pod = scenarios.pod("x", {"main": scenarios.image("hpc/solver:v4")})
    request = {
        "uid": "u",
        "kind": {"kind": "Pod"},
        "resource": {"resource": "pods"},
        "operation": "CREATE",
        "namespace": "default",
        "object": pod,
    }
    envelope = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
    return json.dumps({**envelope, "request": request}).encode()


async def _load(act: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Rate a second, and the time that 99 % stay below, in seconds."""
    ends = time.perf_counter() + SECONDS
    samples: list[float] = []

    async def worker() -> None:
        while (started := time.perf_counter()) < ends:
            await act()
            samples.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))
    rate = len(samples) / (time.perf_counter() - started)
    return rate, statistics.quantiles(samples, n=100)[98]


def main() -> None:
    """Prints every figure."""
    show(judge_one_node())
    for figure in asyncio.run(reviews()):
        show(figure)


if __name__ == "__main__":
    main()
