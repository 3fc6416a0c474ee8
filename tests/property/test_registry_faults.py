"""Laws of reading registries that fail anyhow, at any request.

* The answer is one of the port's outcomes, within the caller's deadline; and nothing
  goes on beyond the lookup's own time.
* Could not look is never there is none: an outcome other than the right one and
  `Unavailable` needs a registry that said so.
* What is found was attached to what it is found for, and is the newest unless a
  registry hid that one.
* The cache holds no lie: when the faults are over, and times have passed, the answer is
  the right one.
* A credential goes to its registry and to that one's token server, over TLS.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.demo.content import INDEX_TYPE, encode
from app.demo.registry import Api, Auth, Basic, Bearer, Registry, Types
from app.oci.credentials import Credential, Entry, Keyring
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts, Times
from app.oci.registry.client import Shared
from app.oci.registry.guard import RegistryPolicy
from app.ports import (
    Found,
    ImageNotFound,
    ImageOutcome,
    Invalid,
    Missing,
    Platform,
    PlatformAbsent,
    PlatformOutcome,
    Resolved,
    Unauthorized,
    Unavailable,
)
from tests.tools import hostile_memory as memory
from tests.tools import virtual
from tests.tools.hostile_memory import Fault, MemoryTransport

HOST = "r.example"
MIRROR = "blobs.example"
SECRET = "canary-5a1b"
FOREVER_SECONDS = 4000.0
"""Longer than anything is remembered but content, which goes by its digest."""

AMD64, ARM64, S390X = (Platform("linux", one) for one in ("amd64", "arm64", "s390x"))
PLATFORMS = (AMD64, ARM64, S390X)


@dataclass
class World:
    """What is there.

    Attributes:
        registry: with four images.
        specs: subject -> (artifact's digest, spec), oldest first.
        truth: tag -> outcome of each platform; absent for an image that is not there.
    """

    registry: Registry
    specs: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)
    truth: dict[str, dict[Platform, PlatformOutcome]] = field(default_factory=dict)

    def newest(self, subject: object) -> Found:
        digest, spec = self.specs[str(subject)][-1]
        return Found(digest, str(subject), "", spec)


def world(api: Api, auth: Auth | None) -> World:
    registry = Registry(address=HOST, scheme="https", api=api, auth=auth)
    made = World(registry)
    one = registry.repository("org/app")

    def attach(subject: dict[str, object], spec: str, day: int) -> None:
        created = f"2026-03-{day:02}T00:00:00Z"
        artifact = one.attach(subject, spec.encode(), created=created)
        known = made.specs.setdefault(str(subject["digest"]), [])
        known.append((str(artifact["digest"]), spec.encode()))

    single, bare = one.image("amd64", "single"), one.image("amd64", "bare")
    amd, arm = one.image("amd64", "a"), one.image("arm64", "b")
    multi = one.index([("amd64", amd), ("arm64", arm)])
    for tag, image in (("single", single), ("bare", bare), ("multi", multi)):
        one.tag(image, tag)
    attach(single, "old", 1)
    attach(single, "new", 2)
    attach(amd, "amd", 1)
    attach(multi, "index", 1)
    if not api.referrers:
        for subject in list(made.specs):
            one.write_fallback_tag(subject)
    found, none = made.newest(single["digest"]), Missing()
    made.truth["single"] = dict.fromkeys(PLATFORMS, found)
    made.truth["bare"] = dict.fromkeys(PLATFORMS, none)
    made.truth["multi"] = {
        AMD64: made.newest(amd["digest"]),
        ARM64: made.newest(multi["digest"]),
        S390X: PlatformAbsent(has_spec=True),
    }
    return made


# What may happen ---------------------------------------------------------------------

APIS = st.builds(
    Api,
    head=st.booleans(),
    digest_header=st.booleans(),
    referrers=st.booleans(),
    filtered=st.booleans(),
    types=st.sampled_from(Types),
    page_descriptors=st.sampled_from((None, 1, 2)),
)
USERS = {"u": SECRET}
AUTHS: st.SearchStrategy[Callable[[], Auth | None]] = st.sampled_from(
    (
        lambda: None,
        lambda: Basic(USERS),
        lambda: Bearer(USERS),
        lambda: Bearer(USERS, is_open=False),
        lambda: Bearer(USERS, is_open=False, seconds=15),
        lambda: Bearer(USERS, is_open=False, seconds=0),
    )
)
CHALLENGES = st.sampled_from(
    (
        "",
        "Basic",
        'Basic realm="x"',
        "Negotiate",
        f'Bearer realm="https://{HOST}/token"',
        'Bearer realm="https://evil.example/token",service="x"',
        f'Bearer realm="http://{HOST}/token"',
        'Bearer realm="http://169.254.169.254/"',
        'Bearer realm="',
    )
)
BODIES = st.sampled_from(
    (
        b"",
        b"{}",
        b"[]",
        b"null",
        b"<html>",
        b"[" * 500,
        b"\xff\xfe",
        b'{"token": "x"}',
        b'{"token": 1}',
        b'{"token": "a\\r\\nb"}',
        b'{"manifests": [{}]}',
        b'{"manifests": {}}',
        encode({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}),
    )
) | st.binary(max_size=8)
HEADERS = st.sampled_from(
    (
        ("content-type", "text/html"),
        ("content-type", ""),
        ("content-type", INDEX_TYPE),
        ("docker-content-digest", "sha256:" + "0" * 64),
        ("docker-content-digest", "sha512:" + "0" * 128),
        ("docker-content-digest", "sha256:../x"),
        ("link", '<https://evil.example/>; rel="next"'),
        ("link", '<?after=1000>; rel="next"'),
        ("link", '<?a>; rel="next"'),
    )
)
LOCATIONS = st.sampled_from(
    (
        "",
        "{path}",
        f"https://{MIRROR}{{path}}",
        f"http://{HOST}{{path}}",
        f"https://{HOST}/nowhere",
        "https://evil.example{path}",
        "https://u:p@evil.example/",
        "http://169.254.169.254/",
        "ftp://evil.example/",
        "//",
        "https://[::1",
    )
)
HONEST = (
    *map(memory.fails, ("CannotConnect", "CutOff", "TlsError", "AddressRefused")),
    memory.HANG,
    memory.late(30.0),
    *map(memory.status, (204, 304, 400, 418, 500, 503)),
    memory.status(429, headers={"retry-after": "9999"}),
)
"""What says that something is wrong, and nothing of what is there."""

FAULTS: st.SearchStrategy[Fault] = st.one_of(
    st.sampled_from(HONEST),
    st.builds(
        lambda code, after: memory.status(code, headers={"retry-after": after}),
        st.sampled_from((408, 429, 501, 502, 503, 504, 599)),
        st.sampled_from(("", "0", "1", "9999", "-1", "x", "1e9", "nan")),
    ),
    st.sampled_from((memory.FLIP, memory.FLOOD, memory.status(404))),
    st.sampled_from((0.1, 1.0, 3.0)).map(memory.late),
    st.builds(
        lambda code, text: memory.status(code, challenges=(text,)),
        st.sampled_from((401, 403)),
        CHALLENGES,
    ),
    BODIES.map(memory.body),
    st.builds(lambda pair: memory.header(*pair), HEADERS),
    st.builds(
        memory.redirect, LOCATIONS, st.sampled_from((300, 301, 302, 303, 307, 308))
    ),
)
PLANS = st.lists(st.none() | FAULTS, max_size=10)
KINDS = ("resolve", "referrers", "manifest", "blob", "token")
BY_KIND = st.dictionaries(st.sampled_from(KINDS), FAULTS, min_size=1, max_size=2)


# The laws ----------------------------------------------------------------------------


def parts(outcome: ImageOutcome) -> dict[Platform, object]:
    """Platform by platform, whatever the outcome."""
    if isinstance(outcome, Resolved):
        return dict(outcome.platforms)
    return dict.fromkeys(PLATFORMS, outcome)


def is_right(one: object, right: object, made: World) -> bool:
    """Whether it is the artifact that counts, or the same as there is none."""
    if not isinstance(one, Found):
        return isinstance(one, type(right)) and (
            not isinstance(one, PlatformAbsent) or one == right
        )
    _require_attached(one, made)
    return isinstance(right, Found) and (one.digest, one.subject, one.content) == (
        right.digest,
        right.subject,
        right.content,
    )


def _require_attached(one: Found, made: World) -> None:
    assert (one.digest, one.content) in made.specs.get(one.subject, [])


def _excuses(faults: list[Fault]) -> frozenset[str]:
    """What these faults may have led to, beside `Unavailable`."""
    return frozenset().union(*(fault.excuses for fault in faults))


def check(
    outcome: ImageOutcome,
    rights: dict[Platform, object],
    made: World,
    faults: list[Fault],
) -> None:
    excuses = _excuses(faults)
    for platform, one in parts(outcome).items():
        right = rights[platform]
        if is_right(one, right, made):
            continue
        assert faults, (platform, one, right)
        match one:
            case Unavailable():
                pass
            case Found():
                assert "Older" in excuses, (one, right, faults)
            case (
                Missing()
                | PlatformAbsent()
                | Invalid()
                | Unauthorized()
                | ImageNotFound()
            ):
                assert type(one).__name__ in excuses, (one, right, faults)
            case other:
                raise AssertionError(other)


def rights(made: World, tag: str, *, is_open: bool) -> dict[Platform, object]:
    if not is_open:
        return dict.fromkeys(PLATFORMS, Unauthorized(""))
    if tag not in made.truth:
        return dict.fromkeys(PLATFORMS, ImageNotFound(""))
    return dict(made.truth[tag])


def opens(auth: Auth | None, password: str) -> bool:
    is_anonymous = auth is None or (isinstance(auth, Bearer) and auth.is_open)
    return is_anonymous or password == SECRET


@dataclass(frozen=True)
class Case:
    """Who asks what of which registry."""

    api: Api
    auth: Callable[[], Auth | None]
    tag: str
    password: str
    deadline_seconds: float


CASES = st.builds(
    Case,
    api=APIS,
    auth=AUTHS,
    tag=st.sampled_from(("single", "multi", "bare", "none")),
    password=st.sampled_from((SECRET, SECRET, "wrong")),
    deadline_seconds=st.sampled_from((1.0, 4.0, 30.0)),
)


async def law(
    case: Case, plan: Sequence[Fault | None], by_kind: Mapping[str, Fault]
) -> None:
    made = world(case.api, case.auth())
    loop = asyncio.get_running_loop()
    auth = made.registry.auth
    if isinstance(auth, Bearer):
        auth.now = loop.time
    mirror = Registry({"org/app": made.registry.repository("org/app")}, scheme="https")
    hosts = {HOST: made.registry, MIRROR: mirror}
    transport = MemoryTransport(hosts, list(plan), dict(by_kind))
    keyring = Keyring.of([Entry.of(HOST, Credential("u", case.password))])
    shared = Shared(transport, RegistryPolicy(), operator=keyring, clock=loop.time)
    artifacts = RegistryArtifacts(shared, clock=loop.time)
    right = rights(made, case.tag, is_open=opens(auth, case.password))
    # A token that is over when it comes opens nothing.
    is_useless = isinstance(auth, Bearer) and auth.seconds == 0

    async def find() -> ImageOutcome:
        started = loop.time()
        image = f"{HOST}/org/app:{case.tag}"
        seconds = case.deadline_seconds
        found = await artifacts.find(image, PLATFORMS, deadline_seconds=seconds)
        assert loop.time() - started <= seconds + 1e-6
        return found

    try:
        for _ in range(6):
            found = await find()
            if not is_useless:
                check(found, right, made, transport.applied)
            await asyncio.sleep(Limits().lookup_seconds + 1)
            assert 0 == transport.under_way
            if not transport.plan:
                break
        transport.plan.clear()
        transport.by_kind.clear()
        await asyncio.sleep(FOREVER_SECONDS)
        found = await find()
        if not is_useless:
            check(found, right, made, [])
    finally:
        await artifacts.close()
    assert {HOST} >= {host for host, _, secret in transport.sent if secret}


@settings(deadline=None)
@given(CASES, PLANS)
def test_any_faults_lead_to_an_outcome_in_time_and_to_no_lie(
    case: Case, plan: list[Fault | None]
) -> None:
    virtual.run(law(case, plan, {}))


@settings(deadline=None)
@given(CASES, BY_KIND)
def test_a_fault_of_every_request_of_a_kind_leads_to_no_lie(
    case: Case, by_kind: dict[str, Fault]
) -> None:
    virtual.run(law(case, [], by_kind))


@settings(deadline=None)
@given(CASES)
def test_without_faults_the_answer_is_right_whatever_the_habits(case: Case) -> None:
    virtual.run(law(case, [], {}))


WAYS = ((True, True, "multi"), (True, False, "single"), (False, True, "single"))
"""HEAD, referrers API, and an image: each kind of request is the first somewhere."""


@pytest.mark.parametrize("kind", KINDS)
def test_could_not_look_is_never_there_is_none(kind: str) -> None:
    """Every honest fault at every kind of request, with and without what may lack."""
    for fault in HONEST:
        for head, referrers, tag in WAYS:
            api = Api(head=head, referrers=referrers)
            case = Case(api, lambda: Bearer(USERS), tag, SECRET, 30.0)
            virtual.run(law(case, [], {kind: fault}))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [memory.FLIP, memory.FLOOD, memory.status(404)])
def test_what_a_registry_made_us_believe_is_forgotten(kind: str, fault: Fault) -> None:
    for referrers in (True, False):
        case = Case(Api(referrers=referrers), lambda: None, "single", SECRET, 30.0)
        virtual.run(law(case, [], {kind: fault}))


def test_one_404_of_an_api_that_was_there_hides_nothing_for_long() -> None:
    """A proxy before the registry that has lost it for a moment, say."""

    async def seen() -> list[bool]:
        """Whether the artifact is found: before, while, and soon after."""
        loop, times = asyncio.get_running_loop(), Times()
        made = world(Api(), None)
        transport = MemoryTransport({HOST: made.registry})
        shared = Shared(transport, RegistryPolicy(), clock=loop.time)
        artifacts = RegistryArtifacts(shared, clock=loop.time)

        async def is_found() -> bool:
            image = f"{HOST}/org/app:single"
            found = await artifacts.find(image, [AMD64], deadline_seconds=30)
            return isinstance(parts(found)[AMD64], Found)

        before = await is_found()
        await asyncio.sleep(2 * times.by_digest_seconds)
        transport.by_kind["referrers"] = memory.status(404)
        meanwhile = await is_found()
        transport.by_kind.clear()
        await asyncio.sleep(times.missing_seconds + 1)
        after = await is_found()
        await artifacts.close()
        return [before, meanwhile, after]

    assert [True, False, True] == virtual.run(seen())
