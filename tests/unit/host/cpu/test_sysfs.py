"""Threads, sockets, idle states and frequencies, from files."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.host.cpu import sysfs
from app.host.tree import Tree
from tests.tools.processors import tree_of

CPUS = "/sys/bus/cpu/devices"
SYSTEM = "/sys/devices/system/cpu"
MAX_CSTATE = "/sys/module/intel_idle/parameters/max_cstate"


def processor(number: int, siblings: str, socket: str) -> dict[str, str]:
    folder = f"{CPUS}/cpu{number}/topology"
    return {
        f"{folder}/thread_siblings_list": siblings,
        f"{folder}/physical_package_id": socket,
    }


@pytest.mark.parametrize(
    ("files", "threads", "sockets"),
    [
        pytest.param(processor(0, "0\n", "0\n"), "false", "1", id="one"),
        pytest.param(
            processor(0, "0,2\n", "0\n") | processor(1, "1\n", "0\n"),
            "true",
            "1",
            id="comma",
        ),
        pytest.param(
            processor(0, "0\n", "0\n") | processor(1, "1-2\n", "1\n"),
            "true",
            "2",
            id="dash",
        ),
        pytest.param(processor(0, "0", "-1\n"), "false", "1", id="unknown socket"),
    ],
)
def test_topology_counts_sockets_and_sees_siblings(
    files: Mapping[str, str], threads: str, sockets: str, tmp_path: Path
) -> None:
    found = sysfs.topology(tree_of(tmp_path, files))
    assert {"hardware_multithreading": threads, "socket_count": sockets} == found


@pytest.mark.parametrize("missing", ["thread_siblings_list", "physical_package_id"])
def test_one_processor_that_does_not_tell_leaves_no_topology(
    missing: str, tmp_path: Path
) -> None:
    files = processor(0, "0", "0") | processor(1, "1", "0")
    del files[f"{CPUS}/cpu1/topology/{missing}"]
    assert {} == sysfs.topology(tree_of(tmp_path, files))


def test_a_host_without_the_folder_has_no_topology(tmp_path: Path) -> None:
    assert {} == sysfs.topology(Tree(tmp_path))


def test_a_host_whose_folder_is_empty_has_no_socket(tmp_path: Path) -> None:
    (tmp_path / CPUS.lstrip("/")).mkdir(parents=True)
    found = sysfs.topology(Tree(tmp_path))
    assert {"hardware_multithreading": "false", "socket_count": "0"} == found


INTEL_IDLE = {f"{SYSTEM}/cpuidle/current_driver": "intel_idle\n"}


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        pytest.param({}, None, id="no sysfs"),
        pytest.param({f"{SYSTEM}/online": "0"}, {}, id="no idle"),
        pytest.param({f"{SYSTEM}/cpuidle/other": ""}, None, id="no driver's name"),
        pytest.param(
            {f"{SYSTEM}/cpuidle/current_driver": "acpi_idle\n"}, {}, id="other driver"
        ),
        pytest.param(INTEL_IDLE, None, id="no limit"),
        pytest.param(INTEL_IDLE | {MAX_CSTATE: "nine\n"}, None, id="no number"),
        pytest.param(INTEL_IDLE | {MAX_CSTATE: "9\n"}, {"enabled": "true"}, id="on"),
        pytest.param(INTEL_IDLE | {MAX_CSTATE: "0\n"}, {"enabled": "false"}, id="off"),
    ],
)
def test_idle_states_are_those_of_intels_driver(
    files: Mapping[str, str], wanted: object, tmp_path: Path
) -> None:
    assert wanted == sysfs.cstate(tree_of(tmp_path, files))


def active(**governors: str) -> dict[str, str]:
    found = {f"{SYSTEM}/intel_pstate/status": "active\n"}
    for policy, governor in governors.items():
        found[f"{SYSTEM}/cpufreq/{policy}/affected_cpus"] = "0\n"
        found[f"{SYSTEM}/cpufreq/{policy}/scaling_governor"] = f"{governor}\n"
    return found


NO_TURBO = f"{SYSTEM}/intel_pstate/no_turbo"
NOBODYS = {f"{SYSTEM}/cpufreq/policy0/affected_cpus": "\n"}
ACTIVE = {"status": "active"}


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        pytest.param({}, {}, id="no sysfs"),
        pytest.param({f"{SYSTEM}/online": "0"}, {}, id="no driver"),
        pytest.param({NO_TURBO: "0"}, {}, id="no status"),
        pytest.param({f"{SYSTEM}/intel_pstate/status": "off\n"}, {}, id="off"),
        pytest.param(
            {
                **active(policy0="powersave"),
                f"{SYSTEM}/intel_pstate/status": "passive\n",
                NO_TURBO: "1\n",
            },
            {"status": "passive", "turbo": "false"},
            id="passive",
        ),
        pytest.param(active(), ACTIVE, id="no policies"),
        pytest.param(
            active() | {NO_TURBO: "0\n"}, ACTIVE | {"turbo": "true"}, id="turbo"
        ),
        pytest.param(active() | {NO_TURBO: ""}, ACTIVE, id="empty turbo"),
        pytest.param(
            active(policy0="powersave", policy1="powersave"),
            ACTIVE | {"scaling_governor": "powersave"},
            id="one governor",
        ),
        pytest.param(
            active(policy0="powersave", policy1="performance"), ACTIVE, id="two"
        ),
        pytest.param(
            active(policy0="powersave", policy1="performance", policy2="performance"),
            ACTIVE,
            id="two, and the last again",
        ),
        pytest.param(
            active(policy0="", policy1="performance"),
            ACTIVE | {"scaling_governor": "performance"},
            id="the first has no name",
        ),
        pytest.param(active(policy0="powersave", policy1=""), ACTIVE, id="the last"),
        pytest.param(
            active(policy0="powersave", policy1="performance") | NOBODYS,
            ACTIVE | {"scaling_governor": "performance"},
            id="a policy without processors does not count",
        ),
        pytest.param(
            active(policy1="performance")
            | {f"{SYSTEM}/cpufreq/policy0/scaling_governor": "powersave"},
            ACTIVE | {"scaling_governor": "performance"},
            id="nor one that does not tell of them",
        ),
        pytest.param(
            active(policy1="performance")
            | {f"{SYSTEM}/cpufreq/policy0/affected_cpus": "0"},
            ACTIVE | {"scaling_governor": "performance"},
            id="nor one without a governor",
        ),
    ],
)
def test_frequency_scaling_is_that_of_intels_driver(
    files: Mapping[str, str], wanted: object, tmp_path: Path
) -> None:
    assert wanted == sysfs.pstate(tree_of(tmp_path, files))


RAISED = {"bf.enabled": "true"}


@pytest.mark.parametrize(
    ("frequencies", "nominal_mhz", "wanted"),
    [
        pytest.param([], 2300, {}, id="none"),
        pytest.param(["2300000"], 2300, {}, id="as it says"),
        pytest.param(["2300999"], 2300, {}, id="megahertz are whole"),
        pytest.param(["2301000"], 2300, RAISED, id="above"),
        pytest.param(["1800000", "2700000"], 2300, RAISED, id="one above"),
        pytest.param(["2700000"], 0, {}, id="nominal unknown"),
        pytest.param(["fast", "2700000"], 2300, {}, id="no number first"),
        pytest.param(["2700000", "fast"], 2300, RAISED, id="no number last"),
    ],
)
def test_base_frequency_is_raised_if_one_processors_is(
    frequencies: list[str], nominal_mhz: int, wanted: object, tmp_path: Path
) -> None:
    files = {f"{CPUS}/cpu9/online": ""} | {
        f"{CPUS}/cpu{number}/cpufreq/base_frequency": f"{frequency}\n"
        for number, frequency in enumerate(frequencies)
    }
    assert wanted == sysfs.sst(tree_of(tmp_path, files), nominal_mhz)


def test_a_base_frequency_that_cannot_be_read_ends_the_search(tmp_path: Path) -> None:
    files = {f"{CPUS}/cpu1/cpufreq/base_frequency": "2700000"}
    tree = tree_of(tmp_path, files)
    tree.path(f"{CPUS}/cpu0/cpufreq/base_frequency").mkdir(parents=True)
    assert {} == sysfs.sst(tree, 2300)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("+12", 12),
        ("-12", -12),
        ("0012", 12),
        (str((1 << 63) - 1), (1 << 63) - 1),
        (str(1 << 63), None),
        (str(-1 << 63), -1 << 63),
        (str((-1 << 63) - 1), None),
        ("1_000", None),
        ("12\n", None),
        ("٣", None),
        ("", None),
        ("1" * 5000, None),
    ],
)
def test_an_integer_is_what_go_takes_for_one(text: str, value: int | None) -> None:
    assert value == sysfs.integer(text)


@pytest.mark.parametrize("kept", ["\x1c", "\x1d", "\x1e", "\x1f", "\ufeff"])
def test_space_is_what_go_takes_for_space(kept: str, tmp_path: Path) -> None:
    """Python's `strip` takes four control characters away that Go keeps."""
    files = {
        **active(policy0=f"powersave{kept}"),
        f"{SYSTEM}/intel_pstate/status": f"\x85\u3000active{kept}\v\n",
    }
    found = sysfs.pstate(tree_of(tmp_path / "a", files))
    assert {"status": f"active{kept}"} == found
    files = active(policy0=f"powersave{kept}\x85")
    found = sysfs.pstate(tree_of(tmp_path / "b", files))
    assert ACTIVE | {"scaling_governor": f"powersave{kept}"} == found
    files = active(policy0="powersave")
    files[f"{SYSTEM}/cpufreq/policy0/affected_cpus"] = f"{kept}\n"
    found = sysfs.pstate(tree_of(tmp_path / "c", files))
    assert ACTIVE | {"scaling_governor": "powersave"} == found
    files = processor(0, "0", "0\n") | processor(1, "1", f"0{kept}\n")
    found = sysfs.topology(tree_of(tmp_path / "d", files))
    assert "2" == found["socket_count"]
    for files in (
        {f"{SYSTEM}/cpuidle/current_driver": f"intel_idle{kept}\n", MAX_CSTATE: "9"},
        INTEL_IDLE | {MAX_CSTATE: f"9{kept}\n"},
    ):
        name = f"e{len(files[MAX_CSTATE])}"
        assert not sysfs.cstate(tree_of(tmp_path / name, files))
    files = {f"{CPUS}/cpu0/cpufreq/base_frequency": f"2000000{kept}\n"}
    tree = tree_of(tmp_path / "f", files)
    assert [None] == list(sysfs.base_frequencies(tree))
