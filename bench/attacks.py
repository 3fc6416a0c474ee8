"""What hostile authors and users would send: specs at the bounds, and odd Pods.

Each spec takes as long as it can. `too-costly` is refused when its budget is used
up, `costly` just stays below it, `template` computes as many steps as it is granted.
`misfit` is no attack: it fits no node, so that its denial speaks of all of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from bench import pods, registry
from bench.client import NAME

_TERMS_TOO_COSTLY: Final = 400
_TERMS_COSTLY: Final = 30

_TEMPLATE: Final = (
    "{{ range $a := .kernel.loadedmodule }}{{ range $b := $.kernel.loadedmodule }}"
    "{{ if eq $a.Name $b.Name }}x={{ $a.Name | upper | lower | quote }}\n{{ end }}"
    "{{ end }}{{ end }}"
)


def _regexps(terms: int) -> bytes:
    """Terms that look at every loaded module of every node, each in its own way."""
    rules = [
        {
            "name": f"r{number}",
            "matchFeatures": [
                {
                    "feature": "kernel.loadedmodule",
                    "matchName": {
                        "op": "InRegexp",
                        "value": [f"^(k|kmod_|[a-z]+_)*[0-9]*({number}|[a-z_0-9]+)$"],
                    },
                }
            ],
        }
        for number in range(terms)
    ]
    per_rule = 8
    merged = [
        {
            "name": f"rule {number}",
            "matchFeatures": [
                term
                for rule in rules[number : number + per_rule]
                for term in rule["matchFeatures"]
            ],
        }
        for number in range(0, terms, per_rule)
    ]
    return _spec(merged)


def _template() -> bytes:
    rule = {
        "name": "template",
        "varsTemplate": _TEMPLATE,
        "matchFeatures": [
            {
                "feature": "kernel.loadedmodule",
                "matchName": {"op": "InRegexp", "value": ["."]},
            }
        ],
    }
    return _spec([rule])


def _misfit() -> bytes:
    names = ("no_such_module_a", "no_such_module_b", "no_such_module_c")
    term = {
        "feature": "kernel.loadedmodule",
        "matchExpressions": {name: {"op": "Exists"} for name in names},
    }
    return _spec([{"name": "modules", "matchFeatures": [term]}])


def _spec(rules: object) -> bytes:
    content = {"version": "v1alpha1", "compatibilities": [{"rules": rules}]}
    return json.dumps(content).encode()


def specs() -> dict[str, bytes]:
    """Name -> the spec's bytes, as `bench.registry` wants them."""
    return {
        "too-costly": _regexps(_TERMS_TOO_COSTLY),
        "costly": _regexps(_TERMS_COSTLY),
        "template": _template(),
        "misfit": _misfit(),
    }


def unseen(name: str) -> str:
    """A review of an image that carries the spec `name` under a digest of its own."""
    everywhere = [{"operator": "Exists"}]
    return pods.review(pods.pod([registry.image(name, NAME)], tolerations=everywhere))


def odd_pods() -> tuple[str, ...]:
    """Pods that ask for as much as an object of 1.5 MB can hold."""
    image = [registry.image("misfit")]
    expressions = [
        {"key": f"k{n}", "operator": "NotIn", "values": [f"v{n}", f"w{n}"]}
        for n in range(4_000)
    ]
    terms = [
        {"matchExpressions": [{"key": f"{NAME}.{n}", "operator": "DoesNotExist"}]}
        for n in range(4_000)
    ]
    tolerations = [
        {"key": f"{NAME}.{n}", "operator": "Exists", "effect": "NoSchedule"}
        for n in range(6_000)
    ]
    many = [f"{registry.REGISTRY}/bench/plain:{n}" for n in range(3)]
    return (
        pods.review(pods.pod(image, affinity=_required([_term(expressions)]))),
        pods.review(pods.pod(image, affinity=_required(terms))),
        pods.review(pods.pod(image, tolerations=tolerations)),
        pods.review(
            pods.pod(many, nodeSelector={f"{NAME}/{n}": "x" for n in range(6_000)})
        ),
    )


def _term(expressions: Sequence[object]) -> object:
    own = {"key": NAME, "operator": "DoesNotExist"}
    return {"matchExpressions": [own, *expressions]}


def _required(terms: object) -> object:
    required = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}
    }
    return {"nodeAffinity": required}
