import pytest

from app.compat.advice import advice
from app.compat.explain import MAX_TEXT, Need, Part
from app.compat.spec import MatchExpression

EXISTS = MatchExpression("Exists")


def element(feature: str, name: str, expression: MatchExpression | None) -> Need:
    return Need("r", feature, Part.ELEMENT, ((name, expression),))


@pytest.mark.parametrize(
    ("feature", "name", "expression", "expected"),
    [
        ("kernel.loadedmodule", "vfio_pci", EXISTS, "load kernel module vfio_pci"),
        ("Kernel.LoadedModule", "vfio_pci", None, "load kernel module vfio_pci"),
        (
            "kernel.loadedmodule",
            "nouveau",
            MatchExpression("DoesNotExist"),
            "unload module nouveau",
        ),
        (
            "kernel.enabledmodule",
            "xfs",
            EXISTS,
            "load kernel module xfs, or boot a kernel with it",
        ),
        (
            "kernel.enabledmodule",
            "xfs",
            MatchExpression("DoesNotExist"),
            "boot a kernel without module xfs",
        ),
        (
            "kernel.config",
            "VFIO_PCI",
            MatchExpression("In", ("y", "m")),
            "boot a kernel built with CONFIG_VFIO_PCI: In [y, m]",
        ),
        (
            "kernel.version",
            "full",
            MatchExpression("Ge", ("6.0",), "version"),
            "boot another kernel (full: version >= 6.0)",
        ),
        ("kernel.selinux", "enabled", MatchExpression("IsTrue"), "enable SELinux"),
        ("kernel.selinux", "enabled", MatchExpression("IsFalse"), "disable SELinux"),
        ("kernel.other", "x", EXISTS, "boot another kernel"),
        (
            "memory.hugepages",
            "hugepages-2Mi",
            MatchExpression("Gt", ("0",)),
            "reserve huge pages",
        ),
        ("memory.swap", "enabled", MatchExpression("IsFalse"), "turn swap off"),
        ("cpu.cpuid", "AVX512F", EXISTS, "cannot be changed: CPU"),
        ("pci.device", "vendor", EXISTS, "cannot be changed: devices"),
        (
            "system.osrelease",
            "ID",
            MatchExpression("In", ("rhel",)),
            "run another operating system (ID: In [rhel])",
        ),
        (
            "nvidia.driver",
            "version",
            MatchExpression("Ge", ("550",), "version"),
            "install version: version >= 550",
        ),
        (
            "local.label",
            "nvidia.com/cuda.driver.major",
            MatchExpression("Gt", ("524",)),
            "install a driver (nvidia.com/cuda.driver.major: Gt 524)",
        ),
        (
            "local.label",
            "x.io/ok",
            EXISTS,
            "publish x.io/ok by a label or a feature file",
        ),
        (
            "local.label",
            "x.io/ok",
            MatchExpression("DoesNotExist"),
            "stop publishing x.io/ok",
        ),
        ("rule.matched", "x", EXISTS, ""),
    ],
)
def test_an_element_that_is_lacking(
    feature: str, name: str, expression: MatchExpression | None, expected: str
) -> None:
    assert expected == advice(element(feature, name, expression))


def test_a_module_that_is_wanted_by_a_pattern_is_one_to_load() -> None:
    pattern = MatchExpression("InRegexp", ("^vfio[-_]pci$",))
    for feature, expected in (
        (
            "kernel.loadedmodule",
            "load a kernel module: a name InRegexp [^vfio[-_]pci$]",
        ),
        ("kernel.version", "boot another kernel"),
    ):
        need = Need("r", feature, Part.NAME, (("", pattern),))
        assert expected == advice(need)


def test_what_is_no_element_is_told_by_its_domain() -> None:
    device = Need("r", "pci.device", Part.DEVICE, (("vendor", EXISTS),))
    assert "cannot be changed: devices" == advice(device)
    assert "boot another kernel" == advice(Need("r", "kernel.version"))
    assert "publish local.label" == advice(Need("r", "local.label"))


def test_of_a_rule_that_does_not_match_nothing_is_known() -> None:
    assert "" == advice(Need("r", "", Part.RULE))


@pytest.mark.parametrize(("size", "is_cut"), [(61, False), (62, True)])
def test_a_text_has_a_bound(size: int, is_cut: bool) -> None:
    text = advice(element("kernel.loadedmodule", "m" * size, EXISTS))
    assert (min(MAX_TEXT, len("load kernel module ") + size), is_cut) == (
        len(text),
        text.endswith("..."),
    )


@pytest.mark.parametrize(("size", "is_cut"), [(72, False), (73, True)])
def test_so_has_that_of_a_feature(size: int, is_cut: bool) -> None:
    text = advice(Need("r", "x" * size))
    assert (MAX_TEXT, is_cut) == (len(text), text.endswith("..."))


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("kernel.LoadedModule", "load a kernel module"),
        ("kernel.enabledmodule", "load a kernel module"),
        ("kernel.selinux", "boot a kernel with SELinux"),
        ("memory.hugepages", "reserve huge pages"),
        ("memory.swap", "turn swap on"),
    ],
)
def test_what_can_be_changed_is_never_called_fixed(feature: str, expected: str) -> None:
    need = Need("r", feature)
    assert need.is_changeable
    assert expected == advice(need)
