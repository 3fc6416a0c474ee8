"""What `imagecompat status` asks the API server for."""

from __future__ import annotations

from typing import Any

import pytest

from app.cli.installed import asking, problems
from app.cli.installed.asking import Unread
from app.cli.installed.survey import (
    DEFAULT_IGNORED,
    DEFAULT_TRUSTED,
)
from app.kube.transport import FORBIDDEN
from app.settings.sections import ClusterSettings
from tests.unit.cli.installation import (
    FEATURES,
    LEFT_OUT,
    NODES,
    NOW,
    PODS,
    look,
    names,
    objects,
    told,
)


async def test_nodes_without_features_are_named_by_the_users_own_rights() -> None:
    world = {
        **objects(),
        FEATURES: names("one"),
        "/api/v1/nodes": names("one", "two", more="page2"),
        "/api/v1/nodes?continue=page2?includeObject=None?limit=500": names(
            "three", "virtual"
        ),
        LEFT_OUT: names("virtual"),
    }
    seen, api = await look(world, ignore="type=virtual")
    assert ("three", "two") == seen.nodes
    accepted = {accept for path, _, accept in api.asked if path == "/api/v1/nodes"}
    assert {asking.TABLE} == accepted
    without, _ = await look(world, ignore="")
    assert ("three", "two", "virtual") == without.nodes


@pytest.mark.parametrize(
    ("rules", "selector"),
    [
        pytest.param({"nodesIgnore": "pool=edge"}, "pool=edge", id="as replicas say"),
        pytest.param({"nodesIgnore": ""}, None, id="none, as replicas say"),
        pytest.param({}, "type=virtual-kubelet", id="the default, of older replicas"),
    ],
)
async def test_nodes_that_nobody_describes_are_those_of_the_settings(
    rules: dict[str, str], selector: str | None
) -> None:
    world = objects()
    for name in "ab":
        own = told()
        own["rules"] |= rules
        world[f"{PODS}/{name}:8081/proxy/statusz"] = own
    world["/api/v1/nodes"] = names("described", "one")
    world[FEATURES] = names("described")
    world[LEFT_OUT.replace("type=virtual", str(selector))] = names("another")
    seen, api = await look(world, nodes=True)
    assert ("one",) == seen.nodes
    asked = {
        query.get("labelSelector") for path, query, _ in api.asked if path == NODES
    }
    assert {None, selector} == asked


def test_what_is_assumed_where_no_replica_tells_is_the_settings_default() -> None:
    held = ClusterSettings()
    assert (held.trusted_namespaces, held.nodes_ignore) == (
        DEFAULT_TRUSTED,
        DEFAULT_IGNORED,
    )


async def test_namespaces_are_listed_page_by_page() -> None:
    labels = {"imagecompat.dev/mode": "of"}
    items = [{"metadata": {"name": "ml", "labels": labels}}]
    path = "/api/v1/namespaces"
    next_page = f"{path}?continue=2?labelSelector=imagecompat.dev/mode?limit=500"
    world = {
        **objects(),
        path: {"metadata": {"continue": "2"}, "items": None},
        next_page: {"items": items},
    }
    seen, _ = await look(world)
    assert ["ModeUnknown"] == [one.reason for one in problems.find(seen, NOW)]


async def test_without_the_kind_every_node_is_without_features() -> None:
    world = {**objects(), "/api/v1/nodes": names("one")}
    seen, _ = await look(world, ignore="")
    assert ("one",) == seen.nodes


@pytest.mark.parametrize(
    ("changes", "ignore"),
    [
        pytest.param({"/api/v1/nodes": 403}, "", id="nodes"),
        pytest.param(
            {
                "/api/v1/nodes": names("one"),
                LEFT_OUT.replace("type=virtual", "a"): 403,
            },
            "a",
            id="those to leave out",
        ),
    ],
)
async def test_nodes_that_may_not_be_read_are_told(
    changes: dict[str, Any], ignore: str
) -> None:
    seen, _ = await look({**objects(), **changes}, ignore=ignore)
    assert isinstance(seen.nodes, Unread)
    assert FORBIDDEN == seen.nodes.reason
