"""Somebody else writes into a field of ours, and then there is an upgrade."""

from __future__ import annotations

import json

import pytest

from tests.chart import rendering
from tests.chart.test_install import Helm, get, run
from tests.tools.servers import ApiServer

__all__ = ["run"]

KIND = "validatingwebhookconfiguration"
ADDED = {"key": "control-plane", "operator": "NotIn", "values": ["true"]}


def selector(server: ApiServer) -> object:
    return get(server, KIND, "imagecompat")["webhooks"][0]["namespaceSelector"]


def test_an_upgrade_sets_back_what_others_changed_or_says_so(
    helm: str, run: Helm, apiserver: ApiServer
) -> None:
    """Helm 3 does; Helm 4 stops even where nothing is new, unless told to go on."""
    run("install", "imagecompat", rendering.CHART)
    before = selector(apiserver)
    path = "/webhooks/0/namespaceSelector/matchExpressions/-"
    change = json.dumps([{"op": "add", "path": path, "value": ADDED}])
    flags = ("--type=json", "--field-manager=somebody", f"--patch={change}")
    apiserver.kubectl("patch", KIND, "imagecompat", *flags)
    assert before != selector(apiserver)
    upgrade = ("upgrade", "imagecompat", rendering.CHART)
    if helm == "helm4":
        with pytest.raises(AssertionError, match='conflict with "somebody"'):
            run(*upgrade)
        assert before != selector(apiserver)
        run(*upgrade, "--force-conflicts")
    else:
        run(*upgrade)
    assert before == selector(apiserver)
