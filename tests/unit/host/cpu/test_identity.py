import pytest

from app.host.cpu import identity
from app.host.cpu.identity import Identity
from app.host.cpu.registers import Leaf, text
from tests.tools.processors import Table, named, processor


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        *((name, vendor) for name, vendor in identity.VENDORS.items()),
        ("  Shanghai  ", "VendorUnknown"),
        ("", "VendorUnknown"),
    ],
)
def test_a_vendor_has_nfds_name(name: str, vendor: str) -> None:
    assert vendor == identity.of_registers(processor(name)).vendor


@pytest.mark.parametrize(
    ("signature", "family", "model"),
    [
        pytest.param(0x000806F8, 6, 0x8F, id="family 6 has the extended model"),
        pytest.param(0x00A00F11, 25, 1, id="family 15 has both"),
        pytest.param(0x00A20F12, 25, 0x21, id="both, with a model"),
        pytest.param(0x00B50573, 5, 7, id="others have neither"),
        pytest.param(0x00FF07F0, 7, 15, id="family 7"),
    ],
)
def test_extended_parts_count_for_families_6_and_15(
    signature: int, family: int, model: int
) -> None:
    found = identity.of_registers(processor(signature=signature))
    assert Identity("Intel", family, model) == found


def test_a_processor_without_leaves_has_a_vendor_only() -> None:
    assert Identity("AMD", 0, 0) == identity.of_registers(
        processor("AuthenticAMD", highest=0)
    )


@pytest.mark.parametrize(
    ("name", "hypervisor"),
    [
        ("KVMKVMKVM", "kvm"),
        ("Microsoft Hv", "msvm"),
        ("XenVMMXenVMM", "xenhvm"),
        ("VMwareVMware", "vmware"),
        ("TCGTCGTCGTCG", "qemu"),
        ("Strange (Hv)", "Strange_Hv_"),
        ("\xff\xfe!", "_"),
        ("", "unknown"),
    ],
)
def test_a_hypervisor_is_written_as_a_label_can_be(name: str, hypervisor: str) -> None:
    registers = Table({(0x40000000, 0): Leaf(0, *named(name))})
    assert hypervisor == identity.hypervisor_of(registers)


def test_a_name_ends_at_the_first_zero() -> None:
    assert "abcd" == text(0x64636261, 0x00000000, 0x64636261)
    assert "ab" == text(0x00006261, 0x64636261)
