"""What becomes of a settings file that changes; no clock and no files."""

import asyncio
import os
import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.bootstrap.files import Sight, Unwatched, Wanted
from app.bootstrap.health import AlwaysReady
from app.bootstrap.registry_files import CA, DOCKER_CONFIG, HOSTS, File, RegistryFiles
from app.bootstrap.reloading import MAX_LOOKS, Reloading, Ticks, reloading
from app.bootstrap.settings_state import SettingsHealth, SettingsState
from app.settings.faults import Fault, Place
from app.settings.loading import Refused
from app.settings.sections import Settings
from app.telemetry import Metrics

FILE = Path("/etc/imagecompat/settings.yaml")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OTHERS = RegistryFiles((File(DOCKER_CONFIG, Path("/config.json"), b"secret"),))
BROKEN = Refused(
    str(FILE),
    (
        Fault("unknown key", ("policy", "mod"), Place(2, 3)),
        Fault("expected a list", ("policy", "tags"), Place(3, 9)),
    ),
)


def settings(**sections: object) -> Settings:
    return Settings.model_validate(sections)


def wanted(files: RegistryFiles | None = None, **sections: object) -> Wanted:
    return Wanted(settings(**sections), files or RegistryFiles())


AUDIT = wanted(policy={"mode": "audit"})


@dataclass
class FakeFiles:
    """Files that say what they are told to; each content has a digest."""

    said: Wanted | Refused
    path: Path | None = FILE
    looks: int = 0
    coming: list[Wanted | Refused] = field(default_factory=list)

    def look(self) -> Sight:
        self.looks += 1
        if self.coming:
            self.said = self.coming.pop(0)
        return Sight(str(self.said), self.said)


@dataclass
class FakeTarget:
    """Takes up what it is given, or fails."""

    wanted: Wanted
    taken: list[Wanted] = field(default_factory=list)
    error: Exception | None = None
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def to(self, wanted: Wanted) -> None:
        self.called.set()
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.taken.append(wanted)
        self.wanted = wanted


class Scene:
    """A process that began with settings of its own."""

    def __init__(self, said: Wanted | Refused, first: Wanted | None = None) -> None:
        self.files = FakeFiles(said)
        self.target = FakeTarget(first or wanted())
        self.metrics = Metrics()
        self.state = SettingsState(FILE, self.metrics, datetime.fromtimestamp(0, UTC))
        self.pauses: list[float] = []
        self.reloading = Reloading(
            self.files,
            self.target,
            self.state,
            self.metrics,
            Ticks(3600),
            pause=self.pause,
            now=lambda: NOW,
        )

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def check(self, said: Wanted | Refused | None = None) -> None:
        if said is not None:
            self.files.said = said
        await self.reloading.check()

    def lines(self, name: str) -> list[str]:
        text = self.metrics.text().decode().splitlines()
        return [line for line in text if line.startswith(f"imagecompat_{name}")]

    def counted(self) -> dict[str, float]:
        """How many reloads of each result, if any."""
        pairs = (line.rsplit(" ", 1) for line in self.lines("config_reloads_total"))
        found = {name.split('"')[1]: float(value) for name, value in pairs}
        return {result: count for result, count in found.items() if count}


@pytest.fixture
def scene() -> Scene:
    return Scene(AUDIT)


async def test_live_settings_are_taken_up(
    scene: Scene, events: list[dict[str, object]]
) -> None:
    await scene.check()
    assert [AUDIT] == scene.target.taken
    assert {"applied": 1} == scene.counted()
    (success,) = scene.lines("config_reload_success_timestamp_seconds")
    assert NOW.timestamp() == float(success.split()[1])
    changed = [{"setting": "policy.mode", "old": "enforce", "new": "audit"}]
    assert [
        {"level": "info", "event": "settings applied", "changed": changed}
    ] == events


async def test_the_first_look_at_what_holds_already_is_silent(
    events: list[dict[str, object]],
) -> None:
    scene = Scene(AUDIT, first=AUDIT)
    await scene.check()
    assert [] == events
    assert {} == scene.counted()


async def test_a_content_that_was_seen_is_not_looked_at_again(scene: Scene) -> None:
    await scene.check()
    before = scene.files.looks
    await scene.check()
    assert 1 == scene.files.looks - before
    assert 1 == len(scene.target.taken)


async def test_what_needs_a_process_is_reported_and_the_rest_is_taken_up(
    scene: Scene, events: list[dict[str, object]]
) -> None:
    await scene.check(wanted(server={"port": 1, "max_reviews": 7}))
    (taken,) = scene.target.taken
    assert (9443, 7) == (taken.settings.server.port, taken.settings.server.max_reviews)
    assert ("server.port",) == scene.state.restart_needed
    assert ["imagecompat_config_restart_needed 1.0"] == scene.lines("config_restart")
    assert ("settings that need a new process: server.port",) == scene.state.warnings()
    assert ("server.port",) == events[0]["restart_needed"]
    await scene.check(wanted(server={"max_reviews": 7}))
    assert () == scene.state.warnings() == scene.state.restart_needed
    assert ["imagecompat_config_restart_needed 0.0"] == scene.lines("config_restart")


async def test_settings_that_only_a_process_takes_up_change_nothing(
    scene: Scene,
) -> None:
    await scene.check(wanted(server={"port": 1}))
    assert [] == scene.target.taken
    assert {"unchanged": 1} == scene.counted()


async def test_an_invalid_file_keeps_what_holds_and_says_what_is_wrong(
    scene: Scene, events: list[dict[str, object]]
) -> None:
    await scene.check()
    await scene.check(BROKEN)
    await scene.check()
    assert AUDIT == scene.target.wanted
    assert {"applied": 1, "invalid": 1} == scene.counted()
    assert ["imagecompat_config_invalid 1.0"] == scene.lines("config_invalid")
    lines = (
        f"{FILE}:2:3: policy.mod: unknown key",
        f"{FILE}:3:9: policy.tags: expected a list",
    )
    refused = {"level": "warning", "event": "settings refused", "faults": lines}
    assert refused == events[-1]
    warning = f"invalid settings, older ones hold: {lines[0]} (and 1 more)"
    assert (warning,) == scene.state.warnings()
    assert "\n".join(lines) == scene.state.status().invalid


async def test_a_file_that_is_valid_again_clears_the_warning(scene: Scene) -> None:
    await scene.check()
    await scene.check(BROKEN)
    await scene.check(AUDIT)
    assert () == scene.state.warnings()
    assert ["imagecompat_config_invalid 0.0"] == scene.lines("config_invalid")
    assert [AUDIT] == scene.target.taken


async def test_an_invalid_file_leaves_what_needed_a_process_as_it_was(
    scene: Scene,
) -> None:
    await scene.check(wanted(server={"port": 1}))
    one_fault = Refused(str(FILE), BROKEN.faults[:1])
    await scene.check(one_fault)
    assert (
        f"invalid settings, older ones hold: {FILE}:2:3: policy.mod: unknown key",
        "settings that need a new process: server.port",
    ) == scene.state.warnings()


async def test_other_credentials_are_taken_up_and_never_told(
    scene: Scene, events: list[dict[str, object]]
) -> None:
    await scene.check(wanted(OTHERS))
    assert OTHERS == scene.target.wanted.files
    assert "changed" == events[0]["credentials"]
    assert ("registry.dockerConfig",) == events[0]["files"]
    assert "secret" not in str(events)


async def test_another_certificate_is_taken_up_though_no_setting_changed(
    scene: Scene, events: list[dict[str, object]]
) -> None:
    setting = (*HOSTS, "r.example", CA)
    for content in (b"old", b"new"):
        ca = File(setting, Path("/ca.crt"), content)
        scene.reloading._digest = ""
        await scene.check(wanted(RegistryFiles((ca,))))
    assert b"new" == scene.target.wanted.files.files[0].content
    assert ("registry.hosts.r.example.caFile",) == events[1]["files"]
    assert [] == events[1]["changed"]
    assert "credentials" not in events[1]


async def test_a_file_that_is_being_written_is_waited_for(scene: Scene) -> None:
    half, done = wanted(), AUDIT
    scene.files.coming = [half, done, done]
    scene.files.said = AUDIT
    await scene.check()
    assert [AUDIT] == scene.target.taken
    assert 2 == len(scene.pauses)


async def test_a_file_that_changes_all_the_time_waits_for_the_next_check(
    scene: Scene,
) -> None:
    scene.files.coming = [
        wanted(server={"max_reviews": n}) for n in range(1, MAX_LOOKS + 2)
    ]
    await scene.check()
    assert [] == scene.target.taken
    await scene.check()
    (taken,) = scene.target.taken
    assert MAX_LOOKS + 1 == taken.settings.server.max_reviews


async def test_what_failed_is_tried_again_at_the_next_check(scene: Scene) -> None:
    scene.target.error = RuntimeError("a bug")
    with pytest.raises(RuntimeError):
        await scene.check()
    scene.target.error = None
    await scene.check()
    assert [AUDIT] == scene.target.taken


async def test_who_asks_is_answered_even_if_nothing_is_new(
    scene: Scene, events: list[dict[str, object]]
) -> None:
    await scene.check()
    await scene.reloading.check(is_asked=True)
    unchanged = {"level": "info", "event": "settings unchanged", "changed": []}
    assert unchanged == events[-1]
    await scene.check(BROKEN)
    await scene.reloading.check(is_asked=True)
    assert ["settings refused"] * 2 == [one["event"] for one in events[-2:]]


async def test_a_hangup_makes_it_look_at_once(scene: Scene) -> None:
    """The next tick is an hour away."""
    before = signal.getsignal(signal.SIGHUP)
    async with asyncio.timeout(20), scene.reloading.running():
        os.kill(os.getpid(), signal.SIGHUP)
        await scene.target.called.wait()
    assert before == signal.getsignal(signal.SIGHUP)


async def test_it_looks_by_itself_and_survives_an_error(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.reloading.ticks = Ticks(0.001)
    scene.target.error = RuntimeError("a bug")
    async with asyncio.timeout(20), scene.reloading.running():
        await scene.target.called.wait()
        scene.target.called.clear()
        await scene.target.called.wait()
    assert "reloading the settings failed" == caplog.records[0].message
    assert scene.counted().keys() == {"failed"}


async def test_leaving_gives_up_an_exchange_that_is_under_way(scene: Scene) -> None:
    begun = asyncio.Event()

    async def never(wanted: Wanted) -> None:
        del wanted
        begun.set()
        await asyncio.Event().wait()

    scene.target.to = never  # type: ignore[method-assign]
    async with asyncio.timeout(20):
        async with scene.reloading.running():
            scene.reloading.ticks.hurry()
            await begun.wait()
    assert wanted() == scene.target.wanted


async def test_without_files_nothing_ever_changes() -> None:
    target, metrics = FakeTarget(AUDIT), Metrics()
    made = reloading(Unwatched(AUDIT), target, metrics, 3600)
    await made.check()
    await made.check(is_asked=True)
    assert [] == target.taken
    assert "" == made.state.status().file


def test_the_state_is_what_statusz_tells() -> None:
    state = SettingsState(FILE, Metrics(), NOW)
    told = state.status()
    assert (str(FILE), "2026-01-02T03:04:05Z") == (told.file, told.loaded)
    assert ("", ()) == (told.invalid, told.restart_needed)


def test_an_invalid_file_is_a_warning_and_no_problem() -> None:
    state = SettingsState(FILE, Metrics(), NOW)
    health = SettingsHealth(AlwaysReady(), state)
    assert () == health.warnings()
    state.found(("a:1:1: wrong",))
    assert () == health.problems()
    assert ("invalid settings, older ones hold: a:1:1: wrong",) == health.warnings()
