"""`validate-node` and the real `nfd compat validate-node`, on this machine.

The same flags, a real registry, the features of this host: the bytes are the same.
What differs on purpose stands in docs/reference/parity.md.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.oci.writing import attaching
from app.recipes import RECIPES
from tests.tools import needed
from tests.tools.registries import distribution, push
from tests.tools.writable import DATE, LIMITS, NAME
from tests.tools.writers import content, ways

pytestmark = pytest.mark.integration

TAGS = b"""\
version: v1alpha1
compatibilities:
- {tag: a, weight: 3, description: "one <first>", rules: [{name: r, matchFeatures: [
    {feature: kernel.version, matchExpressions: {major: {op: Ge, value: ["1"]}}}]}]}
- {tag: b, rules: [{name: s, matchAny: [{matchFeatures: [
    {feature: cpu.cpuid, matchName: {op: InRegexp, value: ["^NO"]}}]}]}]}
- {rules: []}
"""
FAULTY = TAGS.replace(b"op: Ge", b"op: Nope")


@dataclass(frozen=True)
class Ran:
    """What a client printed."""

    status: int
    out: bytes
    err: str


@dataclass(frozen=True)
class Clients:
    """NFD's and ours."""

    nfd: Path

    def theirs(self, *arguments: str, stdin: bytes = b"") -> Ran:
        """`nfd compat validate-node ARGUMENTS`."""
        return _run([str(self.nfd), "compat", "validate-node", *arguments], stdin)

    def ours(self, *arguments: str, stdin: bytes = b"") -> Ran:
        """`imagecompat validate-node ARGUMENTS`."""
        program = [sys.executable, "-m", "app", "validate-node", "-q"]
        return _run([*program, *arguments], stdin)


def _run(command: list[str], stdin: bytes) -> Ran:
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "NO_COLOR": "1", "NODE_NAME": "this"},
    )
    return Ran(done.returncode, done.stdout, done.stderr.decode())


@pytest.fixture(scope="module")
def clients() -> Clients:
    (program,) = needed.programs("nfd")
    return Clients(program)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    needed.programs("distribution")
    with distribution(tmp_path_factory.mktemp("distribution")) as served:
        yield served


async def attached(address: str, name: str, spec: bytes) -> str:
    """A new image with that spec, valid or not; what to type for it."""
    full = f"{NAME}/{name}"
    push(address, full, content())
    read = attaching.read(spec, force=True, limits=LIMITS)
    async with ways(address) as way:
        store = way.store(address, name=full)
        (done,) = await attaching.attach([store], read, LIMITS, created=DATE)
    assert isinstance(done, attaching.Attached), done
    return f"{address}/{full}:1"


@pytest.mark.parametrize("name", [one.name for one in RECIPES])
async def test_every_recipe_is_reported_with_the_same_bytes(
    clients: Clients, address: str, name: str
) -> None:
    (recipe,) = [one for one in RECIPES if one.name == name]
    image = await attached(address, name, recipe.content)
    flags = ("--image", image, "--plain-http", "--output-json")
    theirs, ours = clients.theirs(*flags), clients.ours(*flags)
    assert 0 == theirs.status, theirs.err
    assert theirs.out == ours.out, ours.err
    assert ours.status in {0, 1}


@pytest.mark.parametrize(
    "more",
    [
        pytest.param((), id="all"),
        pytest.param(("--tags", "b"), id="one tag"),
        pytest.param(("--tags", "a,b"), id="tags with a comma"),
        pytest.param(("--tags", "b", "--tags", "a"), id="tags again"),
        pytest.param(("--tags", "none"), id="no such tag"),
        pytest.param(("--tags", ""), id="empty text for a tag"),
        pytest.param(("--tags", "a,"), id="empty tag"),
        pytest.param(("--platform", "linux/amd64"), id="platform"),
        pytest.param(("--platform", "linux"), id="operating system"),
        pytest.param(("--platform", ""), id="empty platform"),
    ],
)
async def test_every_flag_of_nfds_does_what_it_does_there(
    clients: Clients,
    address: str,
    more: tuple[str, ...],
    request: pytest.FixtureRequest,
) -> None:
    name = f"flags{abs(hash(request.node.name))}"
    image = await attached(address, name, TAGS)
    flags = ("--image", image, "--plain-http", *more)
    as_json = [one(*flags, "--output-json") for one in (clients.theirs, clients.ours)]
    assert as_json[0].out == as_json[1].out
    assert as_json[0].out.startswith(b"[")
    table = clients.ours(*flags, "-o", "nfd-table")
    assert clients.theirs(*flags).out == table.out


@pytest.mark.parametrize("value", ["true", "1", "T"])
async def test_a_flag_takes_a_value_as_nfds_does(
    clients: Clients, address: str, value: str
) -> None:
    image = await attached(address, f"value{value.lower()}", TAGS)
    flags = ("--image", image, f"--plain-http={value}", f"--output-json={value}")
    theirs, ours = clients.theirs(*flags), clients.ours(*flags)
    assert theirs.out == ours.out
    assert theirs.out.startswith(b"[")
    as_table = (*flags, "--output-json=false", "-o", "nfd-table")
    assert b"COMPATIBILITY SET" in clients.ours(*as_table).out


async def test_credentials_are_read_as_nfd_reads_them(
    clients: Clients, address: str
) -> None:
    """The registry asks for none, and takes any."""
    image = await attached(address, "credentials", TAGS)
    flags = ("--image", image, "--plain-http", "--output-json")
    password = ("--registry-username", "ada", "--registry-password-stdin")
    for more in (password, ("--registry-token-stdin",)):
        theirs = clients.theirs(*flags, *more, stdin=b"secret\n")
        ours = clients.ours(*flags, *more, stdin=b"secret\n")
        assert (0, theirs.out) == (theirs.status, ours.out)
    both = ("--registry-password-stdin", "--registry-token-stdin")
    theirs, ours = (one(*flags, *both) for one in (clients.theirs, clients.ours))
    assert (1, 2, b"") == (theirs.status, ours.status, ours.out)


@pytest.mark.parametrize("form", ["--output-json", "-o nfd-table"])
async def test_a_rule_that_cannot_be_evaluated_ends_both(
    clients: Clients, address: str, form: str
) -> None:
    image = await attached(address, f"faulty{len(form)}", FAULTY)
    flags = ("--image", image, "--plain-http")
    theirs, ours = clients.theirs(*flags), clients.ours(*flags, *form.split())
    assert (1, 2, b"") == (theirs.status, ours.status, ours.out)
    assert 'invalid Op "Nope"' in theirs.err
    assert 'imagecompat: invalid Op "Nope"\n' == ours.err


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(("and", "more"), id="more words"),
        pytest.param(("--registry-username", "ada"), id="nobody's password"),
    ],
)
async def test_what_nfd_passes_over_is_refused(
    clients: Clients, address: str, more: tuple[str, ...]
) -> None:
    image = await attached(address, f"passed{len(more[0])}", TAGS)
    flags = ("--image", image, "--plain-http", *more)
    theirs, ours = clients.theirs(*flags), clients.ours(*flags)
    assert (0, 2, b"") == (theirs.status, ours.status, ours.out)
    assert 1 == len(ours.err.splitlines())


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(b"{}", id="empty"),
        pytest.param(TAGS.replace(b"compatibilities", b"compatibilites"), id="typo"),
        pytest.param(b"kind: Secret\nmetadata: {name: a}\n", id="another kind"),
    ],
)
async def test_a_spec_that_asks_for_nothing_is_refused_in_our_forms_alone(
    clients: Clients, address: str, spec: bytes
) -> None:
    image = await attached(address, f"nothing{len(spec)}", spec)
    flags = ("--image", image, "--plain-http")
    for theirs, ours in (((), ("-o", "nfd-table")), (("--output-json",),) * 2):
        printed = clients.theirs(*flags, *theirs)
        assert (0, printed.out) == (printed.status, clients.ours(*flags, *ours).out)
    refused = clients.ours(*flags)
    assert (2, b"") == (refused.status, refused.out)
    assert f"imagecompat: {image}:" in refused.err


async def test_an_image_without_an_artifact_is_where_we_differ(
    clients: Clients, address: str
) -> None:
    push(address, f"{NAME}/bare", content())
    flags = ("--image", f"{address}/{NAME}/bare:1", "--plain-http", "--output-json")
    theirs, ours = clients.theirs(*flags), clients.ours(*flags)
    assert 1 == theirs.status
    assert "compatibility artifact not found" in theirs.err
    assert (0, b"[]") == (ours.status, ours.out)
