"""Replicas that rotate certificates side by side never serve what is not trusted.

The API server is simulated: objects with versions, each replica sees changes late
and in its own time, writes lose races, processes die before and after a write,
Secrets are deleted and damaged, and writes to one object may fail for long.

*Quiet* world: nobody else touches the configurations. Once a replica has been ready
for as long as an API server may be behind, every API server trusts what it serves,
whatever happens to Secret and processes.

*Rough* world: others also strip a `caBundle`, add webhooks, delete and recreate
configurations, and clocks are set. Then a replica only ever changes to a leaf that
every `caBundle` it sees has had for long enough.

In both: once faults end, all replicas serve the same leaf within bounds, every
`caBundle` is the same, and one authority has a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from app.certificates import holding as holdings
from app.certificates.holding import MAX_AUTHORITIES
from app.certificates.pair import pem_of
from app.certificates.replica import Moment, Replica
from app.certificates.rotation import Hold, Plan, Step
from tests.tools.certifying import NOW

PLAN = Plan(
    names=("imagecompat.imagecompat.svc",),
    authority_seconds=1000,
    leaf_seconds=200,
    renew_at=2 / 3,
    publish_seconds=20,
)
BEHIND_SECONDS = PLAN.propagation_seconds
"""How far an API server's view of a configuration may be behind."""

CONFIGURATIONS = ("validating", "mutating")
OBJECTS = ("secret", *CONFIGURATIONS)
REPLICAS = 3
LOSSES = 4
"""Of Secrets in one history: a bundle holds the authorities of so many."""

ACTIONS = 60
"""More than a few replicas ever need to agree."""


@dataclass(frozen=True)
class Version:
    """One version of an object: the Secret's data, or a bundle for each webhook."""

    number: int
    content: Mapping[str, bytes] | Sequence[bytes] | None


@dataclass
class Process:
    """A replica, and what it will see next of each object."""

    replica: Replica
    coming: dict[str, list[Version]] = field(default_factory=dict)
    seen: dict[str, Version] = field(default_factory=dict)
    ready_at: float | None = None


class World:
    """The API server and the processes."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.clock_error = 0.0
        self.number = 0
        self.objects: dict[str, Version] = {}
        self.history: dict[str, list[tuple[float, Version]]] = {n: [] for n in OBJECTS}
        self.processes: list[Process] = []
        self.store("secret", {})
        self.store("validating", [b"", b""])
        self.store("mutating", [b""])
        self.processes = [self.process() for _ in range(REPLICAS)]

    @property
    def at(self) -> Moment:
        time = NOW + timedelta(seconds=self.seconds + self.clock_error)
        return Moment(time, self.seconds)

    def process(self) -> Process:
        replica = Replica(PLAN, CONFIGURATIONS, recreate_seconds=10)
        return Process(replica, {name: [self.objects[name]] for name in OBJECTS})

    def store(
        self, name: str, content: Mapping[str, bytes] | Sequence[bytes] | None
    ) -> Version:
        self.number += 1
        version = self.objects[name] = Version(self.number, content)
        self.history[name].append((self.seconds, version))
        for one in self.processes:
            one.coming[name].append(version)
        return version

    def see(self, process: Process, name: str, version: Version) -> None:
        """The process sees a version; what is older, it never sees."""
        process.seen[name] = version
        coming = process.coming[name]
        coming[:] = [one for one in coming if one.number > version.number]
        content = version.content
        if name == "secret":
            assert content is None or isinstance(content, Mapping)
            process.replica.saw_secret(content, self.at)
        else:
            assert not isinstance(content, Mapping)
            found = (
                None
                if content is None
                else holdings.published(str(version.number), content)
            )
            process.replica.saw_configuration(name, found, self.at)

    def deliver(self, process: Process, name: str) -> None:
        if process.coming[name]:
            self.see(process, name, process.coming[name][0])

    def serve(self, process: Process) -> None:
        chosen = process.replica.chosen(self.at)
        if chosen is not None:
            process.replica.serving = chosen

    def act(self, process: Process, *, skip: int = 0, dies: bool = False) -> bool:
        """One step of a process; whether there was one.

        Args:
            process: whose.
            skip: steps that have to wait, for they have failed.
            dies: it ends behind the write, before it hears of it.
        """
        self.serve(process)
        found = list(process.replica.steps(self.at))[skip:]
        if not found:
            return False
        name = "secret" if isinstance(found[0], Hold) else found[0].configuration
        if process.seen[name] != self.objects[name]:  # a lost race
            self.see(process, name, self.objects[name])
            return True
        written = self.store(name, self.written(found[0], name))
        if not dies:
            self.see(process, name, written)
            self.serve(process)
        return True

    def written(self, step: Step, name: str) -> Mapping[str, bytes] | Sequence[bytes]:
        if isinstance(step, Hold):
            return holdings.write(step.holding)
        bundles = self.objects[name].content
        assert bundles is not None
        return [pem_of(*step.bundle)] * len(bundles)

    def restart(self, number: int) -> None:
        self.processes[number] = self.process()

    def acted_on(self, name: str) -> list[Version]:
        """The versions that some API server may act on now."""
        versions = self.history[name]
        since = [
            i
            for i, (at, _) in enumerate(versions)
            if at <= self.seconds - BEHIND_SECONDS
        ]
        return [one for _, one in versions[since[-1] if since else 0 :]]

    def settle(self) -> None:
        """No more faults: everything is seen, everything due is done."""
        for _ in range(ACTIONS):
            is_quiet = True
            for process in self.processes:
                for name in OBJECTS:
                    while process.coming[name]:
                        self.deliver(process, name)
                is_quiet = not self.act(process) and is_quiet
            if is_quiet and not any(any(p.coming.values()) for p in self.processes):
                return
        raise AssertionError("the replicas do not come to rest")


numbers = st.integers(0, REPLICAS - 1)
spoiled = st.sampled_from([b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\nAAAA"])


class Quiet(RuleBasedStateMachine):
    """Nobody else touches the configurations, and clocks are right."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.losses = 0

    @initialize(is_settled=st.booleans())
    def begins(self, is_settled: bool) -> None:
        if is_settled:
            self.all_is_well_for_a_while()

    @rule(number=numbers, name=st.sampled_from(OBJECTS))
    def sees(self, number: int, name: str) -> None:
        self.world.deliver(self.world.processes[number], name)

    @rule(number=numbers)
    def sees_everything(self, number: int) -> None:
        process = self.world.processes[number]
        for name in OBJECTS:
            while process.coming[name]:
                self.world.deliver(process, name)

    @rule(number=numbers, skip=st.sampled_from([0, 0, 0, 1, 2]))
    def acts(self, number: int, skip: int) -> None:
        process = self.world.processes[number]
        before = process.replica.serving
        trusted = dict(process.replica._trusted_since)
        self.world.act(process, skip=skip)
        after = process.replica.serving
        if before is None or after is None or before.issuer == after.issuer:
            return
        if before.pair.not_after <= self.world.at.time:
            return
        existing = process.replica._existing().values()
        assert all(one.trusts(after.issuer) for one in existing)
        if all(one.trusts(before.issuer) for one in existing):
            since = self.world.seconds - trusted[after.issuer]
            assert since >= BEHIND_SECONDS

    @rule(number=numbers)
    def works_while_the_others_sleep(self, number: int) -> None:
        self.sees_everything(number)
        for _ in range(5):
            self.acts(number, 0)

    @rule(number=numbers)
    def dies_behind_a_write(self, number: int) -> None:
        self.world.act(self.world.processes[number], dies=True)
        self.world.restart(number)

    @rule(number=numbers)
    def restarts(self, number: int) -> None:
        self.world.restart(number)

    @rule(seconds=st.sampled_from([0.1, 1, 4, 6, 21, 60, 140, 400, 1100]))
    def passes(self, seconds: float) -> None:
        self.world.seconds += seconds
        for process in self.world.processes:
            if self.has_ended(process):
                process.ready_at = None  # all slept until it had ended
            self.world.serve(process)

    def has_ended(self, process: Process) -> bool:
        serving = process.replica.serving
        return serving is not None and serving.pair.not_after <= self.world.at.time

    @rule()
    def all_is_well_for_a_while(self) -> None:
        self.world.settle()
        for _ in range(3):
            self.world.seconds += 7
            self.world.settle()

    @precondition(lambda self: self.losses < LOSSES)
    @rule()
    def the_secret_is_deleted(self) -> None:
        self.losses += 1
        self.world.store("secret", None)

    @precondition(lambda self: self.losses < LOSSES)
    @rule()
    def the_secret_is_emptied(self) -> None:
        self.losses += 1
        self.world.store("secret", {})

    @precondition(lambda self: self.losses < LOSSES)
    @rule(
        key=st.sampled_from(["ca.crt", "ca.key", "tls.crt", "tls.key"]), value=spoiled
    )
    def the_secret_is_damaged(self, key: str, value: bytes) -> None:
        content = self.world.objects["secret"].content
        if isinstance(content, Mapping):
            self.losses += 1
            self.world.store("secret", {**content, key: value})

    @invariant()
    def who_is_ready_is_trusted_by_every_api_server(self) -> None:
        for process in self.world.processes:
            replica, now = process.replica, self.world.seconds
            if replica.serving is None or self.has_ended(process) or replica.untrusting:
                continue
            if process.ready_at is None:
                process.ready_at = now
        self.check_trust()

    def check_trust(self) -> None:
        for process in self.world.processes:
            serving, ready = process.replica.serving, process.ready_at
            if serving is None or ready is None or self.has_ended(process):
                continue
            if self.world.seconds - ready < BEHIND_SECONDS:
                continue
            for name in CONFIGURATIONS:
                for version in self.world.acted_on(name):
                    assert not isinstance(version.content, Mapping | None)
                    found = holdings.published("", version.content)
                    assert found.trusts(serving.issuer)

    @invariant()
    def bundles_are_bounded(self) -> None:
        for name in CONFIGURATIONS:
            content = self.world.objects[name].content
            if content is not None and not isinstance(content, Mapping):
                for one in holdings.published("", content).bundles:
                    assert one is None or len(one) <= MAX_AUTHORITIES

    def is_rotating(self) -> bool:
        """Whether an authority fell due during the last moments of a test."""
        holding = self.world.processes[0].replica.holding
        return bool(holding and holding.issuer != holding.bundle[-1])

    def teardown(self) -> None:
        world = self.world
        for seconds in (0, 11, 21, 6, 1, 21, 6, 1):
            world.seconds += seconds
            world.settle()
            if seconds == 1 and not self.is_rotating():
                break
        served = [one.replica.serving for one in world.processes]
        assert served[0] is not None
        assert served == [served[0]] * REPLICAS
        assert [()] * REPLICAS == [one.replica.untrusting for one in world.processes]
        holding = world.processes[0].replica.holding
        assert holding is not None
        assert holding.authority is not None
        assert holding.issuer == holding.authority.certificate == served[0].issuer
        found = {
            bundle
            for name in CONFIGURATIONS
            for content in [world.objects[name].content]
            if content is not None and not isinstance(content, Mapping)
            for bundle in holdings.published("", content).bundles
        }
        assert len(found) <= 1
        assert all(one is not None and served[0].issuer in one for one in found)


class Rough(Quiet):
    """Others change the configurations, and clocks are set."""

    @rule(name=st.sampled_from(CONFIGURATIONS), value=spoiled, which=st.integers(0, 3))
    def a_bundle_is_stripped(self, name: str, value: bytes, which: int) -> None:
        content = self.world.objects[name].content
        if content and not isinstance(content, Mapping):
            changed = [*content]
            changed[which % len(changed)] = value
            self.world.store(name, changed)

    @rule(name=st.sampled_from(CONFIGURATIONS))
    def a_webhook_is_added(self, name: str) -> None:
        content = self.world.objects[name].content
        if content and not isinstance(content, Mapping):
            self.world.store(name, [*content, b""][-4:])

    @rule(name=st.sampled_from(CONFIGURATIONS))
    def a_configuration_is_deleted(self, name: str) -> None:
        self.world.store(name, None)

    @rule(name=st.sampled_from(CONFIGURATIONS))
    def a_configuration_is_created(self, name: str) -> None:
        self.world.store(name, [b"", b""])

    @rule(seconds=st.sampled_from([-2000, -300, -10, 10, 150, 700]))
    def the_clock_is_set(self, seconds: float) -> None:
        self.world.clock_error += seconds

    def check_trust(self) -> None:
        """Others took trust away; what a change of leaf needs is tested in `acts`."""

    def teardown(self) -> None:
        for name in CONFIGURATIONS:
            if self.world.objects[name].content is None:
                self.world.store(name, [b""])
        super().teardown()


_settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestQuiet = Quiet.TestCase
TestQuiet.settings = _settings
TestRough = Rough.TestCase
TestRough.settings = _settings
