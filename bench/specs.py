"""The specs that are judged: NFD's example, ten rules, and the worst that is let in."""

from __future__ import annotations

from typing import Final

from app.compat import parse
from app.compat.spec import Spec

EXAMPLE: Final = b"""\
version: v1alpha1
compatibilities:
- description: "my image requirements"
  rules:
  - name: "kernel and cpu"
    matchFeatures:
    - feature: kernel.loadedmodule
      matchExpressions: {vfio-pci: {op: Exists}, ip_tables: {op: Exists}}
    - feature: cpu.model
      matchExpressions: {vendor_id: {op: In, value: ["Intel", "AMD"]}}
    - feature: cpu.cpuid
      matchName: {op: InRegexp, value: ["^AVX"]}
  - name: "one of available nics"
    matchAny:
    - matchFeatures:
      - feature: pci.device
        matchExpressions:
          vendor: {op: In, value: ["0eee"]}
          class: {op: In, value: ["0200"]}
    - matchFeatures:
      - feature: pci.device
        matchExpressions:
          vendor: {op: In, value: ["0fff"]}
          class: {op: In, value: ["0200"]}
"""
"""The two rules of the example in NFD's documentation."""

_VERSION: Final = b'{full: {op: Ge, value: ["5.15"], type: version}}'
_MAJOR: Final = b'{major: {op: Ge, value: ["5"]}}'
_TEN: Final = b"""\
version: v1alpha1
compatibilities:
- tag: ten
  rules:
  - name: kernel
    matchFeatures:
    - {feature: kernel.version, matchExpressions: %s}
  - name: options
    matchFeatures:
    - feature: kernel.config
      matchExpressions:
        SUBSYS_10_OPTION_0010: {op: In, value: ["y", "m"]}
        LSM: {op: Exists}
        HZ: {op: Ge, value: ["1000"]}
  - name: instructions
    matchFeatures:
    - feature: cpu.cpuid
      matchExpressions:
        AVX2: {op: Exists}
        AESNI: {op: Exists}
        SVE: {op: DoesNotExist}
  - name: matrix
    matchFeatures:
    - {feature: cpu.cpuid, matchName: {op: InRegexp, value: ["^AMX(TILE|INT8)$"]}}
  - name: accelerator
    matchFeatures:
    - feature: pci.device
      matchExpressions:
        vendor: {op: In, value: ["10de", "8086"]}
        class: {op: InRegexp, value: ["^0[23]"]}
  - name: system
    matchAny:
    - matchFeatures:
      - feature: system.osrelease
        matchExpressions:
          ID: {op: In, value: ["ubuntu"]}
          VERSION_ID: {op: Ge, value: ["22.04"], type: version}
    - matchFeatures:
      - {feature: system.osrelease, matchExpressions: {ID: {op: In, value: ["rhel"]}}}
  - name: network
    matchFeatures:
    - feature: network.device
      matchExpressions:
        speed: {op: Ge, value: ["25000"]}
        operstate: {op: In, value: ["up"]}
  - name: memory
    matchFeatures:
    - feature: memory.numa
      matchExpressions:
        node_count: {op: GtLt, value: ["0", "9"]}
        is_numa: {op: IsTrue}
    - {feature: memory.swap, matchExpressions: {enabled: {op: IsFalse}}}
  - name: devices
    vars: {gpu: "true"}
%s    matchFeatures:
    - {feature: pci.device, matchExpressions: {class: {op: In, value: ["0200"]}}}
  - name: disks
    matchFeatures:
    - {feature: rule.matched, matchExpressions: {gpu: {op: IsTrue}}}
    - {feature: storage.block, matchExpressions: {rotational: {op: In, value: ["0"]}}}
"""
_TEMPLATE: Final = rb"""\
    varsTemplate: "{{ range .pci.device }}dev-{{ .device }}=1\n{{ end }}"
"""[2:]

TEN: Final = _TEN % (_MAJOR, _TEMPLATE)
"""Ten rules over nine features; a template makes variables of matched devices."""

TEN_WITHOUT_TEMPLATE: Final = _TEN % (_MAJOR, b"")
"""The same without the template."""

TEN_BY_VERSION: Final = _TEN % (_VERSION, _TEMPLATE)
"""The same asking for a kernel's version. NFD cannot read those of some systems
(`5.10.205-195.804.amzn2.x86_64`), and gives such a node up at its first rule."""

MANY: Final = b"version: v1alpha1\ncompatibilities:\n" + b"".join(
    b"- rules: [{name: r%d, matchFeatures: [{feature: kernel.config, "
    b"matchExpressions: {SUBSYS_%02d_OPTION_%04d: {op: In, value: [y, m]}}}, "
    b"{feature: kernel.loadedmodule, matchExpressions: "
    b"{kmod_%03d: {op: Exists}}}, {feature: kernel.loadedmodule, "
    b"matchName: {op: InRegexp, value: ['^kmod_%02d']}}]}]\n" % (n, n, n, n, n)
    for n in range(8)
)
"""Eight sets, each on elements of its own, with patterns for names that nearly
every node has in another combination: what an index likes least."""


def read(text: bytes) -> Spec:
    """The spec, as admission reads it."""
    return parse.read_for_admission(text)
