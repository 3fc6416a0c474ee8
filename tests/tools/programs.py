"""Credential programs that are functions: no process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.oci.credentials.programs import Output, Ran


@dataclass(frozen=True)
class Ask:
    """One run of a program."""

    name: str
    arguments: tuple[str, ...]
    content: bytes
    more: Mapping[str, str]


@dataclass
class Scripted:
    """Implements `Runner`: name -> what it answers to an `Ask`.

    Attributes:
        programs: name -> answer, or what makes one.
        asked: all runs.
        gate: runs wait here while it is not set.
    """

    programs: dict[str, Ran | Callable[[Ask], Ran]] = field(default_factory=dict)
    asked: list[Ask] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))

    def __post_init__(self) -> None:
        self.gate.set()

    async def run(
        self,
        name: str,
        arguments: Sequence[str],
        content: bytes,
        *,
        more: Mapping[str, str] | None = None,
    ) -> Ran:
        ask = Ask(name, tuple(arguments), content, more or {})
        self.asked.append(ask)
        await self.gate.wait()
        found = self.programs.get(name, Output(1, b""))
        return found(ask) if callable(found) else found


@dataclass
class Told:
    """Implements `Observer`."""

    seen: list[tuple[str, str, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def program(self, kind: str, name: str, outcome: str, *, seconds: float) -> None:
        self.seen.append((kind, name, outcome))
        self.seconds.append(seconds)


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
