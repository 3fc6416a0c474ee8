"""Protection of guests and enclaves."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.host.cpu import security
from app.host.cpu.registers import Leaf
from tests.tools.processors import Table, tree_of

SEV = "/sys/module/kvm_amd/parameters"
TDX = "/sys/module/kvm_intel/parameters/tdx"
UNIFIED = "/sys/fs/cgroup/misc.capacity"
SPLIT = "/sys/fs/cgroup/misc/misc.capacity"


def section(size: int, kind: int = 1) -> Leaf:
    return Leaf(kind | 0x70000000, 0, size & 0xFFFFFFFF, size >> 32)


@pytest.mark.parametrize(
    ("sections", "size"),
    [
        pytest.param([], 0, id="none"),
        pytest.param([section(0x5D80000)], 0x5D80000, id="one"),
        pytest.param([section(0x1000), section(0x2000)], 0x3000, id="two"),
        pytest.param([section(0xF_FFFF_F000)], 0xF_FFFF_F000, id="above 4 GiB"),
        pytest.param([section(0x1FFF)], 0x1000, id="low bits are no size"),
        pytest.param(
            [section(0xFFF0_0000_0000_1000)], 0x1000, id="nor are the highest"
        ),
        pytest.param(
            [section(0x1000), section(0, 0), section(0x2000)], 0x1000, id="the end"
        ),
        pytest.param([section(0x1000, 2), section(0x2000)], 0x2000, id="another kind"),
        pytest.param([section(0x1000)] * 9, 0x8000, id="eight at most"),
    ],
)
def test_memory_of_enclaves_is_the_sum_of_its_sections(
    sections: list[Leaf], size: int
) -> None:
    leaves = {(0x12, number): leaf for number, leaf in enumerate(sections, start=2)}
    assert size == security.enclave_bytes(Table(leaves))


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({TDX: "Y\n"}, {"tdx.enabled": "true"}, id="tdx"),
        pytest.param({TDX: "N\n"}, {}, id="no tdx"),
        pytest.param({TDX: "Y"}, {}, id="tdx without the line's end"),
        pytest.param(
            {TDX: "Y\n", UNIFIED: "tdx 31\n"},
            {"tdx.enabled": "true", "tdx.total_keys": "31"},
            id="keys of tdx",
        ),
        pytest.param(
            {f"{SEV}/sev": "Y\n", UNIFIED: "sev 509\nsev_es 99\n"},
            {"sev.enabled": "true", "sev.asids": "509"},
            id="sev",
        ),
        pytest.param(
            {f"{SEV}/sev": "1\n", UNIFIED: "sev_es 99\nsev 509\n"},
            {"sev.enabled": "true", "sev.asids": "99"},
            id="the first line that begins so",
        ),
        pytest.param(
            {f"{SEV}/sev_es": "Y\n", UNIFIED: "sev 509\nsev_es 99\n"},
            {"sev.es.enabled": "true", "sev.encrypted_state_ids": "99"},
            id="sev-es",
        ),
        pytest.param(
            {f"{SEV}/sev_snp": "Y\n"}, {"sev.snp.enabled": "true"}, id="sev-snp"
        ),
        pytest.param(
            {f"{SEV}/sev": "N\n", f"{SEV}/sev_es": "0\n", f"{SEV}/sev_snp": ""},
            {},
            id="off",
        ),
        pytest.param(
            {f"{SEV}/sev": "Y", SPLIT: "sev 16\n"},
            {"sev.enabled": "true", "sev.asids": "16"},
            id="the older place",
        ),
        pytest.param(
            {f"{SEV}/sev": "Y", UNIFIED: "", SPLIT: "sev 16\n"},
            {"sev.enabled": "true"},
            id="the first file that there is",
        ),
        pytest.param(
            {f"{SEV}/sev": "Y", UNIFIED: "sev 0\r\n"},
            {"sev.enabled": "true", "sev.asids": "0"},
            id="zero",
        ),
        pytest.param(
            {f"{SEV}/sev": "Y", UNIFIED: "sev max\n"},
            {"sev.enabled": "true"},
            id="no number",
        ),
        pytest.param(
            {f"{SEV}/sev": "Y", UNIFIED: "sev -1\n"},
            {"sev.enabled": "true"},
            id="a negative one",
        ),
        pytest.param(
            {f"{SEV}/sev": "Y", UNIFIED: "sev\n"}, {"sev.enabled": "true"}, id="none"
        ),
        pytest.param(
            {f"{SEV}/sev": "Y", UNIFIED: "rdma 5\n"},
            {"sev.enabled": "true"},
            id="of something else",
        ),
    ],
)
def test_the_kernel_tells_what_it_offers_to_guests(
    files: Mapping[str, str], wanted: Mapping[str, str], tmp_path: Path
) -> None:
    tree = tree_of(tmp_path, files)
    assert wanted == security.published(tree, enclave_bytes=0, is_tdx_guest=False)


def test_the_processor_tells_of_enclaves_and_of_being_a_guest(tmp_path: Path) -> None:
    found = security.published(
        tree_of(tmp_path, {}), enclave_bytes=4096, is_tdx_guest=True
    )
    assert {
        "sgx.enabled": "true",
        "sgx.epc": "4096",
        "tdx.protected": "true",
    } == found
