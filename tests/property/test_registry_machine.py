"""The law of what is remembered of registries, whatever happens to them.

While artifacts come and go, tags move, rights are given and taken, and requests fail,
each answer was right at some moment within the time for which it may be remembered;
and nobody is told what only another's credential opens.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from app.demo.registry import Api, Basic, Bearer, Registry
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.registry.client import Shared
from app.oci.registry.guard import RegistryPolicy
from app.ports import (
    Found,
    ImageOutcome,
    Mark,
    Missing,
    Platform,
    Puller,
    PullSecret,
    Resolved,
    Unauthorized,
    Unavailable,
)
from tests.property.test_registry_faults import HONEST
from tests.tools.hostile_memory import Fault, MemoryTransport
from tests.tools.virtual import VirtualLoop

HOST = "r.example"
AMD64 = Platform("linux", "amd64")
REPOSITORIES = ("org/a", "org/b")
TAGS = ("1", "2")
USERS = ("ann", "bob")
NAMESPACES = ("ann", "bob", "both", "wrong", "none")
TOKEN_SECONDS = 20.0

HOLDS_SECONDS = 60.0 + 30.0 + 10.0 + TOKEN_SECONDS
"""What an artifact, a tag, a lookup and a token may be old, together."""
STALE_SECONDS = 600.0
FAULTY_SECONDS = 330.0
"""For so long a registry may count as hanging or broken."""
LONG_SECONDS = 5000.0


def _secrets() -> dict[str, tuple[PullSecret, ...]]:
    users = {"ann": ["ann"], "bob": ["bob"], "both": ["ann", "bob"], "none": []}
    pairs = {name: [(one, f"of-{one}") for one in of] for name, of in users.items()}
    pairs["wrong"] = [("ann", "of-bob")]
    return {name: tuple(_secret(*pair) for pair in of) for name, of in pairs.items()}


def _secret(user: str, password: str) -> PullSecret:
    auths = {HOST: {"username": user, "password": password}}
    content = json.dumps({"auths": auths}).encode()
    kind = "kubernetes.io/dockerconfigjson"
    return PullSecret(user, kind, {".dockerconfigjson": content})


class Secrets:
    """Implements the port: those of each namespace."""

    def __init__(self) -> None:
        self._all = _secrets()

    def at_hand(self, puller: Puller) -> tuple[PullSecret, ...]:
        return self._all[puller.namespace]

    async def read(
        self, puller: Puller, *, deadline_seconds: float
    ) -> tuple[PullSecret, ...]:
        del deadline_seconds
        return self.at_hand(puller)


@dataclass(frozen=True)
class Moment:
    """What was so from a time on.

    Attributes:
        at: in seconds.
        tags: (repository, tag) -> subject.
        newest: subject -> the spec that counts; `None` for none.
        rights: user -> repositories.
        is_faulty: whether requests fail.
    """

    at: float
    tags: dict[tuple[str, str], str]
    newest: dict[str, bytes | None]
    rights: dict[str, frozenset[str]]
    is_faulty: bool


@dataclass
class State:
    """What is so."""

    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    attached: dict[str, list[tuple[str, bytes, str]]] = field(default_factory=dict)
    past: list[Moment] = field(default_factory=list)


def _newest(attached: list[tuple[str, bytes, str]]) -> bytes | None:
    """Of (created, spec, digest); of equal dates the smallest digest."""
    best = max((one[0] for one in attached), default=None)
    same = [one for one in attached if one[0] == best]
    return min(same, key=lambda one: one[2])[1] if same else None


class RegistryMachine(RuleBasedStateMachine):
    """Two repositories on one registry that wants credentials."""

    @initialize(
        api=st.builds(Api, head=st.booleans(), filtered=st.booleans()),
        is_basic=st.booleans(),
    )
    def start(self, api: Api, is_basic: bool) -> None:
        self.loop = VirtualLoop()
        users = {user: f"of-{user}" for user in USERS}
        self.rights = {user: frozenset({repo}) for user, repo in _own()}
        self.registry = Registry(address=HOST, scheme="https", api=api)
        if is_basic:
            self.registry.auth = Basic(users, rights=self.rights)
        else:
            self.registry.auth = Bearer(
                users,
                is_open=False,
                seconds=TOKEN_SECONDS,
                now=self.loop.time,
                rights=self.rights,
            )
        self.transport = MemoryTransport({HOST: self.registry})
        self.state = State()
        self.images: dict[str, list[dict[str, object]]] = {}
        self.made = 0
        for name in REPOSITORIES:
            one = self.registry.repository(name)
            self.images[name] = [one.image("amd64", f"{name}-{tag}") for tag in TAGS]
            for image, tag in zip(self.images[name], TAGS, strict=True):
                one.tag(image, tag)
                self.state.tags[name, tag] = str(image["digest"])
                self.state.attached[str(image["digest"])] = []
        shared = Shared(self.transport, RegistryPolicy(), clock=self.loop.time)
        self.artifacts = RegistryArtifacts(
            shared, secrets=Secrets(), clock=self.loop.time
        )
        self._remember()

    def _run(self, what: Any) -> Any:
        return self.loop.run_until_complete(what)

    def _remember(self) -> None:
        newest = {
            subject: _newest(attached)
            for subject, attached in self.state.attached.items()
        }
        self.state.past.append(
            Moment(
                self.loop.time(),
                dict(self.state.tags),
                newest,
                dict(self.rights),
                bool(self.transport.by_kind),
            )
        )

    # What happens ---------------------------------------------------------------

    @rule(
        name=st.sampled_from(REPOSITORIES),
        which=st.integers(0, 1),
        day=st.integers(1, 28),
    )
    def attach(self, name: str, which: int, day: int) -> None:
        self.made += 1
        created = f"2026-03-{day:02}T00:00:00Z"
        spec = f"{name} {self.made}".encode()
        image = self.images[name][which]
        one = self.registry.repository(name).attach(image, spec, created=created)
        known = self.state.attached[str(image["digest"])]
        known.append((created, spec, str(one["digest"])))
        self._remember()

    @rule(name=st.sampled_from(REPOSITORIES), which=st.integers(0, 1))
    def detach(self, name: str, which: int) -> None:
        known = self.state.attached[str(self.images[name][which]["digest"])]
        if known:
            _, _, digest = known.pop()
            repository = self.registry.repository(name)
            repository.listed = [
                one for one in repository.listed if one["digest"] != digest
            ]
            del repository.subjects[digest], repository.types[digest]
            self._remember()

    @rule(
        name=st.sampled_from(REPOSITORIES),
        tag=st.sampled_from(TAGS),
        which=st.integers(0, 1),
    )
    def retag(self, name: str, tag: str, which: int) -> None:
        image = self.images[name][which]
        self.registry.repository(name).tags[tag] = str(image["digest"])
        self.state.tags[name, tag] = str(image["digest"])
        self._remember()

    @rule(
        user=st.sampled_from(USERS),
        names=st.frozensets(st.sampled_from(REPOSITORIES)),
    )
    def allow(self, user: str, names: frozenset[str]) -> None:
        self.rights[user] = names
        self._remember()

    @rule(
        kind=st.sampled_from(("resolve", "referrers", "manifest", "blob", "token")),
        fault=st.sampled_from(HONEST),
    )
    def break_(self, kind: str, fault: Fault) -> None:
        self.transport.by_kind[kind] = fault
        self._remember()

    @rule()
    def mend(self) -> None:
        self.transport.by_kind.clear()
        self._remember()

    @rule(seconds=st.sampled_from((0.5, 3.0, 6.0, 16.0, 31.0, 61.0, 200.0, 700.0)))
    def wait(self, seconds: float) -> None:
        self._run(asyncio.sleep(seconds))

    # What is answered -----------------------------------------------------------

    @rule(
        name=st.sampled_from(REPOSITORIES),
        tag=st.sampled_from(TAGS),
        namespace=st.sampled_from(NAMESPACES),
    )
    def find(self, name: str, tag: str, namespace: str) -> None:
        started = self.loop.time()
        outcome = self._find(name, tag, namespace)
        assert self.loop.time() - started <= 30.0
        self._check(outcome, name, tag, namespace)

    def _find(self, name: str, tag: str, namespace: str) -> ImageOutcome:
        puller = Puller(namespace, tuple(one.name for one in _secrets()[namespace]))
        image = f"{HOST}/{name}:{tag}"
        found: ImageOutcome = self._run(
            self.artifacts.find(image, [AMD64], deadline_seconds=30, puller=puller)
        )
        return found

    def _check(
        self, outcome: ImageOutcome, name: str, tag: str, namespace: str
    ) -> None:
        part: Any = outcome
        if isinstance(outcome, Resolved):
            part = outcome.platforms[AMD64]
            since = HOLDS_SECONDS
            since += STALE_SECONDS if part.mark is Mark.STALE else 0.0
            moments = list(self._since(since))
            assert any(_may(one, namespace, name) for one in moments), namespace
            assert part.mark is not Mark.STALE or isinstance(part, Found)
            digests = {one.tags[name, tag] for one in moments}
            assert outcome.digest in digests
            if not isinstance(part, Unavailable | Unauthorized):
                specs = {one.newest[outcome.digest] for one in moments}
                assert isinstance(part, Found | Missing)
                assert getattr(part, "content", None) in specs
                assert not isinstance(part, Found) or part.subject == outcome.digest
        if isinstance(part, Unavailable):
            assert any(one.is_faulty for one in self._since(FAULTY_SECONDS))
        elif isinstance(part, Unauthorized):
            moments = list(self._since(HOLDS_SECONDS))
            assert not all(_may(one, namespace, name) for one in moments)
        else:
            assert isinstance(outcome, Resolved)

    def _since(self, seconds: float) -> Iterator[Moment]:
        """What was so in the last seconds: a moment lasts until the next one."""
        earliest = self.loop.time() - seconds
        past = self.state.past
        for one, following in zip(past, [*past[1:], None], strict=True):
            if following is None or following.at >= earliest:
                yield one

    def teardown(self) -> None:
        """When all is quiet, everybody is told what is so."""
        if not hasattr(self, "artifacts"):
            return
        self.transport.by_kind.clear()
        self._run(asyncio.sleep(LONG_SECONDS))
        del self.state.past[:]
        self._remember()
        for name in REPOSITORIES:
            for tag in TAGS:
                for namespace in NAMESPACES:
                    self._check(self._find(name, tag, namespace), name, tag, namespace)
        self._run(self.artifacts.close())
        self.loop.close()


def _own() -> Iterator[tuple[str, str]]:
    return zip(USERS, REPOSITORIES, strict=True)


def _may(moment: Moment, namespace: str, name: str) -> bool:
    """Whether one of the namespace's credentials opens the repository."""
    users = {"ann": ("ann",), "bob": ("bob",), "both": USERS}.get(namespace, ())
    return any(name in moment.rights[user] for user in users)


def test_each_answer_was_right_a_moment_ago_for_whoever_asked() -> None:
    run_state_machine_as_test(
        RegistryMachine,
        settings=settings(deadline=None, max_examples=60, stateful_step_count=30),
    )
