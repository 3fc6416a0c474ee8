"""How settings become what reviews are decided by."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from app.admission.message import Detail
from app.admission.policy import Action, Mode, NodesMayAppear, Policy
from app.bootstrap import wiring
from app.bootstrap.options import options
from app.checker import Options
from app.demo.cluster import MemoryCluster
from app.scheduling.selector import Requirement
from app.settings import loading
from app.settings.sections import Settings

OTHERWISE = """\
server: {maxReviews: 7}
cluster:
  schedulers: [volcano]
  nodesIgnore: pool=virtual
  transientTaints: [booting, "boot/*"]
policy:
  mode: audit
  namespaceModes: off
  podModes: any
  onNoCandidates: deny
  onUnknown: deny
  onMissing: deny
  onUnavailable: deny
  onUnauthorized: deny
  onImageNotFound: deny
  onInvalid: deny
  onError: deny
  onOverload: deny
  onStale: deny
  onScalable: deny
  daemonSets: deny
  staleAfterSeconds: 1
  nodesMayAppear: no
  poolLabels: [pool]
  tags: [gpu]
  unpublishedFeatures: no
  messages: counts
  annotate: false
  exemptions:
  - {owner: ada, reason: old, images: [x], expires: 2027-01-01}
"""
"""Every setting about reviews differs from its default, so that none is forgotten."""


def written(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    return loading.load(file)


def unchanged(one: Policy | Options, other: Policy | Options) -> list[str]:
    """The fields that are the same on both."""
    names = [field.name for field in fields(one)]
    return [name for name in names if getattr(one, name) == getattr(other, name)]


def test_default_settings_are_the_checkers_defaults() -> None:
    assert Options() == options(Settings())


def test_every_setting_about_reviews_reaches_the_checker(tmp_path: Path) -> None:
    loaded = written(tmp_path, OTHERWISE)
    found, usual = options(loaded), Options()
    assert [] == unchanged(found.policy, usual.policy)
    assert [] == unchanged(found, usual)
    assert (Mode.AUDIT, Action.DENY) == (found.policy.mode, found.policy.on_error)
    assert NodesMayAppear.NO is found.policy.nodes_may_appear
    assert (("gpu",), Detail.COUNTS, False, 7) == (
        found.tags,
        found.detail,
        found.annotate,
        found.max_reviews,
    )
    assert frozenset({"volcano"}) == found.candidates.schedulers
    assert (Requirement("pool", "In", ("virtual",)),) == found.candidates.ignore
    aside = found.candidates.transient
    assert {"booting", "boot/a", "node.kubernetes.io/not-ready"} == {
        key
        for key in ("booting", "boot/a", "node.kubernetes.io/not-ready", "gpu")
        if key in aside
    }
    (exemption,) = found.exemptions
    assert datetime(2027, 1, 1, tzinfo=UTC) == exemption.expires


async def test_an_exemption_that_has_expired_is_told_once(
    tmp_path: Path, events: list[dict[str, object]]
) -> None:
    loaded = written(
        tmp_path,
        """\
server: {certificate: tls.crt, privateKey: tls.key}
policy:
  exemptions:
  - {owner: ada, reason: legacy, namespaces: [old-*], expires: 2020-01-01}
  - {owner: bob, reason: vendor, images: [v/*]}
""",
    )
    wired = wiring.wire_on(loaded, MemoryCluster({}, {}))
    async with wired.running():
        wired.refresh()
        wired.refresh()
    (line,) = (one for one in events if one["event"] == "exemption expired")
    assert ("ada", "legacy", ("old-*",)) == (
        line["owner"],
        line["reason"],
        line["namespaces"],
    )
    assert "2020-01-01 00:00:00+00:00" in json.dumps(line, default=str)


async def test_metrics_tell_how_full_the_caches_are(tmp_path: Path) -> None:
    loaded = written(tmp_path, "server: {certificate: tls.crt, privateKey: tls.key}")
    wired = wiring.wire_on(loaded, MemoryCluster({}, {}))
    async with wired.running():
        wired.refresh()
    lines = wired.metrics.text().decode().splitlines()
    for name in ("images", "tags", "referrers", "contents", "pull_secrets"):
        assert f'imagecompat_cache_entries{{cache="{name}"}} 0.0' in lines
        assert f'imagecompat_cache_bytes{{cache="{name}"}} 0.0' in lines
    for state in ("open", "half open"):
        assert f'imagecompat_registry_circuits{{state="{state}"}} 0.0' in lines
