"""What of RDT a processor has; NFD asks for it with code that no test can feed."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.host.cpu import rdt
from app.host.cpu.registers import Leaf
from tests.tools.processors import Table, tree_of

MONITORING = 1 << 12
ALLOCATION = 1 << 15


@pytest.mark.parametrize(
    ("leaves", "names"),
    [
        pytest.param({}, (), id="nothing"),
        pytest.param({(0xF, 0): Leaf(edx=2), (0xF, 1): Leaf(edx=7)}, (), id="not said"),
        pytest.param(
            {(7, 0): Leaf(ebx=MONITORING), (0xF, 1): Leaf(edx=7)}, (), id="not of L3"
        ),
        pytest.param(
            {(7, 0): Leaf(ebx=MONITORING), (0xF, 0): Leaf(edx=2)}, ("RDTMON",), id="L3"
        ),
        pytest.param(
            {
                (7, 0): Leaf(ebx=MONITORING),
                (0xF, 0): Leaf(edx=2),
                (0xF, 1): Leaf(edx=1),
            },
            ("RDTMON", "RDTCMT"),
            id="occupancy",
        ),
        pytest.param(
            {
                (7, 0): Leaf(ebx=MONITORING),
                (0xF, 0): Leaf(edx=2),
                (0xF, 1): Leaf(edx=6),
            },
            ("RDTMON", "RDTMBM"),
            id="bandwidth, total and local",
        ),
        pytest.param(
            {
                (7, 0): Leaf(ebx=MONITORING),
                (0xF, 0): Leaf(edx=2),
                (0xF, 1): Leaf(edx=2),
            },
            ("RDTMON",),
            id="bandwidth, total only",
        ),
        pytest.param({(0x10, 0): Leaf(ebx=0xE)}, (), id="allocation not in leaf 7"),
        pytest.param(
            {(7, 0): Leaf(ebx=ALLOCATION), (0x10, 0): Leaf(ebx=2)},
            ("RDTL3CA",),
            id="L3 allocation",
        ),
        pytest.param(
            {(7, 0): Leaf(ebx=ALLOCATION), (0x10, 0): Leaf(ebx=4)},
            ("RDTL2CA",),
            id="L2 allocation",
        ),
        pytest.param(
            {(7, 0): Leaf(ebx=ALLOCATION), (0x10, 0): Leaf(ebx=8)},
            ("RDTMBA",),
            id="bandwidth allocation",
        ),
    ],
)
def test_leaves_say_what_there_is(
    leaves: Mapping[tuple[int, int], Leaf], names: tuple[str, ...]
) -> None:
    assert names == rdt.of_registers(Table(leaves))


CLOSIDS = "info/L3/num_closids"
MOUNT = "36 25 0:32 / {} rw,nosuid shared:9 - {} resctrl rw\n"
ELSEWHERE = MOUNT.format("/proc", "proc") + MOUNT.format("/resctrl", "resctrl")


@pytest.mark.parametrize(
    ("files", "groups"),
    [
        pytest.param({f"/sys/fs/resctrl/{CLOSIDS}": "16\n"}, "15", id="mounted"),
        pytest.param({f"/sys/fs/resctrl/{CLOSIDS}": "1\n"}, "0", id="the default only"),
        pytest.param({f"/sys/fs/resctrl/{CLOSIDS}": "0\n"}, None, id="none"),
        pytest.param({f"/sys/fs/resctrl/{CLOSIDS}": "many"}, None, id="no number"),
        pytest.param({f"/sys/fs/resctrl/{CLOSIDS}": "16\x1f\n"}, None, id="no space"),
        pytest.param({"/sys/fs/resctrl/info/MB/x": ""}, None, id="not of L3"),
        pytest.param({}, None, id="no folder"),
        pytest.param({"/sys/fs/resctrl/.keep": ""}, None, id="not mounted"),
        pytest.param(
            {
                "/sys/fs/resctrl/.keep": "",
                "/proc/self/mountinfo": ELSEWHERE,
                f"/resctrl/{CLOSIDS}": "8\n",
            },
            "7",
            id="mounted elsewhere",
        ),
        pytest.param(
            {
                "/sys/fs/resctrl/.keep": "",
                "/proc/self/mountinfo": MOUNT.format("/proc", "proc"),
                f"/resctrl/{CLOSIDS}": "8\n",
            },
            None,
            id="nowhere",
        ),
        pytest.param(
            {"/proc/self/mountinfo": ELSEWHERE, f"/resctrl/{CLOSIDS}": "8\n"},
            None,
            id="a kernel without it",
        ),
        pytest.param(
            {
                "/sys/fs/resctrl/.keep": "",
                "/proc/self/mountinfo": MOUNT.format("/a\0b", "resctrl"),
            },
            None,
            id="no path",
        ),
    ],
)
def test_groups_are_counted_without_the_default_one(
    files: Mapping[str, str], groups: str | None, tmp_path: Path
) -> None:
    wanted = {"RDTL3CA": "true"}
    if groups is not None:
        wanted["RDTL3CA_NUM_CLOSID"] = groups
    tree = tree_of(tmp_path, files)
    assert wanted == rdt.published(tree, ("RDTL3CA",))
    assert {"RDTMBA": "true"} == rdt.published(tree, ("RDTMBA",))
