"""Nothing that is not known to be harmless gets through, wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from app.cli.nodes import document, harmless, labelled
from app.cli.nodes.anonymous import anonymize
from app.compat.features import Features
from app.compat.lint.features import FEATURES, Form, Kind
from app.ports import Snapshot
from app.scheduling.node import Node, Taint

SECRETS = (
    *("Zebrafish", "acme-billing", "ACME-GPU-7", "zebrafish 1.2", "10.98.76.54"),
    *("00:1b:63:84:45:e6", "48213377", "0048213", "123456789012", "001b638445e6"),
    *("990021", "https://zebra.example/x", "s\u00e9bra", "truezebra", "y\nzebra"),
)
OPEN = {"kernel.loadedmodule", "kernel.enabledmodule", "kernel.config"}
"""Features whose elements are named by who wrote the module, or the option."""


def printed(features: Features, node: Node | None = None) -> str:
    """All that an export of one node says, in lower case, without our own words."""
    node = node or Node("n")
    before = Snapshot({node.name: node}, {node.name: features}, 1)
    text = document.encode(anonymize(before)).decode().lower()
    aliases = "node|value|key|serial|device|feature"
    return re.sub(rf'"(?:{aliases})-[0-9]+"', '""', text)


def leaks(secret: str, text: str) -> bool:
    """Whether any part of a secret that is a word, or all of it, is in a text."""
    parts = {secret, *re.findall(r"[a-z]{4,}|[0-9]{5,}", secret.lower())} - {"https"}
    return any(part.lower() in text for part in parts)


def places() -> Iterator[tuple[str, str]]:
    """Every feature with every element whose name is known, and one that is not."""
    for name, feature in FEATURES.items():
        known = {*feature.elements, *harmless.more_names(name)}
        for element in sorted(known | {"HZ", "hugepages-2Mi", "nvidia.com/gpu.count"}):
            yield name, element
    yield "acme.box", "name"


def numeric(feature: str, element: str) -> bool:
    known = FEATURES[feature].element(element) if feature in FEATURES else None
    return known is not None and known.kind is Kind.NUMBER


@pytest.mark.parametrize("secret", SECRETS)
def test_no_value_of_a_feature_gets_through(secret: str) -> None:
    for feature, element in places():
        is_count = numeric(feature, element) or "gpu.count" in element
        if is_count and re.fullmatch("[0-9]{1,7}", secret):
            continue
        if (feature, element) == ("cpu.security", "sgx.epc") and secret.isdecimal():
            continue
        if element == "HZ" and re.fullmatch("[0-9]{1,7}", secret):
            continue
        told = {element: secret}
        features = Features(attributes={feature: told}, instances={feature: (told,)})
        assert not leaks(secret, printed(features)), (feature, element)


@pytest.mark.parametrize("secret", SECRETS)
def test_no_name_of_a_feature_or_an_element_gets_through(secret: str) -> None:
    for feature in {*FEATURES, "acme.box"} - OPEN:
        told: Mapping[str, str] = {secret: "true"}
        features = Features(
            flags={feature: frozenset([secret])},
            attributes={feature: told},
            instances={feature: (told,)},
        )
        assert not leaks(secret, printed(features)), feature
    for domain in {name.partition(".")[0] for name in FEATURES}:
        features = Features(attributes={f"{domain}.{secret}": {"name": "x"}})
        assert not leaks(secret, printed(features)), domain


@pytest.mark.parametrize("secret", SECRETS)
def test_no_label_and_no_taint_gets_through(secret: str) -> None:
    domains = {key.partition("/")[0] for key in labelled.KEYS}
    odd = {f"{domain}/{secret}": "true" for domain in domains}
    odd |= {f"{secret}.{domain}/x": "true" for domain in domains}
    odd |= {secret: secret, f"feature.node.kubernetes.io/cpu-{secret}": "true"}
    labels = dict.fromkeys((*labelled.KEYS, *SHAPED), secret) | odd
    taints = tuple(Taint(key, secret, "NoSchedule") for key in labels)
    node = Node("n", labels=labels, taints=(*taints, Taint("x", "", secret)))
    local = {"local.label": labels, "local.feature": labels}
    counts = {"nvidia.com/gpu.count", "feature.node.kubernetes.io/cpu-model.id"}
    if re.fullmatch("[0-9]{1,7}", secret):
        kept = {*counts, *SHAPED, "feature.node.kubernetes.io/memory-numa"}
        labels = {key: one for key, one in labels.items() if key not in kept}
        node = Node("n", labels=labels, taints=node.taints)
        local = dict.fromkeys(local, labels)
    assert not leaks(secret, printed(Features(attributes=local), node))


SHAPED = (
    *("nvidia.com/gpu.count", "nvidia.com/gpu.machine", "nvidia.com/cuda.driver.major"),
    *("nvidia.com/gpu.family", "beta.amd.com/gpu.family", "gpu.intel.com/tiles"),
    "feature.node.kubernetes.io/kernel-version.full",
    "feature.node.kubernetes.io/system-os_release.ID",
    "feature.node.kubernetes.io/cpu-model.id",
    "feature.node.kubernetes.io/pci-10de.present",
)


@pytest.mark.parametrize(
    "name",
    [
        *("enp1s0zebra", "dm-0zebra", "nvme0zebra", "167772161", "enx001b638445e6"),
        *("zebra0", "cali12345678901", "veth1b638445", "10.98.76.54", "eth123456"),
    ],
)
def test_no_name_of_a_device_gets_through(name: str) -> None:
    for feature in ("network.device", "network.virtual", "storage.block"):
        text = printed(Features(instances={feature: ({"name": name},)}))
        assert name not in text


def test_names_of_a_kernels_own_modules_and_options_are_told() -> None:
    """What is written on the page, too."""
    features = Features(
        flags={name: frozenset(["zebra_drv"]) for name in OPEN if "module" in name},
        attributes={"kernel.config": {"ZEBRA": "y", "ZEBRA_KEY": "acme", "A B": "y"}},
    )
    text = printed(features)
    assert [True, True, True, False, False] == [
        one in text for one in ("zebra_drv", '"zebra"', '"zebra_key"', "acme", "a b")
    ]


def test_every_flag_and_number_of_nfds_own_is_kept() -> None:
    for feature, known in FEATURES.items():
        for element, what in known.elements.items():
            if known.form is Form.FLAG:
                assert harmless.is_flag(feature, element)
                continue
            assert harmless.is_element(feature, element)
            if what.kind is Kind.NUMBER:
                assert harmless.is_value(feature, element, "7"), (feature, element)
            for value in what.values:
                assert harmless.is_value(feature, element, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("nvidia.com/gpu.product", "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb"),
        ("nvidia.com/gpu.product", "Tesla-T4-SHARED"),
        ("nvidia.com/gpu.machine", "p5.48xlarge"),
        ("nvidia.com/mig.config", "all-1g.10gb"),
        ("nvidia.com/mofed.version", "25.04-0.6.1"),
        ("nvidia.com/gpu.family", "hopper"),
        ("kubernetes.io/arch", "arm64"),
        ("type", "virtual-kubelet"),
        ("feature.node.kubernetes.io/cpu-cpuid.AVX512F", "true"),
        ("feature.node.kubernetes.io/pci-0300_10de.present", "true"),
        ("feature.node.kubernetes.io/kernel-version.full", "5.14.0-427.el9_4.x86_64"),
    ],
)
def test_labels_that_vendors_set_are_kept(key: str, value: str) -> None:
    assert (True, True) == (labelled.is_key(key), labelled.is_value(key, value))
