"""The survey as tables, problems first."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from rich.console import Console
from rich.table import Table

from app.cli.installed.asking import Unread
from app.cli.installed.fault import Problem
from app.cli.installed.release import Replica
from app.cli.installed.survey import Survey
from app.status import MAX_DECISIONS, Status

_WIDTH: Final = 200
"""Of what is no terminal: lines are cut by who reads them, not by us."""

_WEBHOOK_COLUMNS: Final = (
    "WEBHOOK",
    "CONFIGURATION",
    "POLICY",
    "TIMEOUT",
    "CABUNDLE",
    "EXEMPT",
)
_DECISION_COLUMNS: Final = (
    "DECIDED",
    "REPLICA",
    "DECISION",
    "CODES",
    "KIND",
    "NAMESPACE",
    "FIT",
)


def render(
    survey: Survey,
    problems: Sequence[Problem],
    unread: Sequence[str],
    *,
    colour: bool,
    file: TextIO,
) -> None:
    """Writes everything to `file`, without blanks at the ends of lines."""
    written = io.StringIO()
    console = Console(
        file=written,
        force_terminal=colour,
        no_color=not colour,
        highlight=False,
        markup=False,
        width=shutil.get_terminal_size().columns if colour else _WIDTH,
    )
    for one in problems:
        text = f"problem: {one.problem}, do: {one.do}"
        console.print(_plain(text), style="red", soft_wrap=True)
    for line in unread:
        console.print(_plain(f"not seen: {line}"), style="yellow", soft_wrap=True)
    if not problems and not unread:
        console.print("no problems", style="green")
    console.print()
    for line in _summary(survey):
        console.print(_plain(line), soft_wrap=True)
    for table in _tables(survey):
        console.print()
        console.print(table)
    file.writelines(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())


def _summary(survey: Survey) -> Iterator[str]:
    found = survey.deployment
    if found is not None and not isinstance(found, Unread):
        yield (
            f"{survey.release} in namespace {survey.namespace}: "
            f"{found.ready} of {found.wanted} Pods ready, {found.updated} up to date"
        )
    for status in _first(survey):
        rules = status.rules
        yield (
            f"mode {rules.mode}; namespaces may choose: {rules.namespace_modes}; "
            f"Pods may choose: {rules.pod_modes}; exemptions: {rules.exemptions}"
        )
        amounts = "yes, a misfit is a warning" if rules.nodes_may_appear_now else "no"
        yield f"nodes may appear: {amounts} (nodesMayAppear: {rules.nodes_may_appear})"
        trusted = ", ".join(rules.trusted_namespaces)
        yield f"NodeFeatures count from: {trusted}"


def _first(survey: Survey) -> Iterator[Status]:
    for one in survey.answering[:1]:
        if one.status is not None:
            yield one.status


def _tables(survey: Survey) -> Iterator[Table]:
    if survey.answering:
        yield _replicas(survey.answering)
        yield _watches(survey.answering)
    yield from _filled(_WEBHOOK_COLUMNS, list(_webhooks(survey)))
    if survey.labelled and not isinstance(survey.labelled, Unread):
        modes = [(one.namespace, one.mode) for one in survey.labelled]
        yield _table(("NAMESPACE", "MODE"), modes)
    yield from _filled(_DECISION_COLUMNS, list(_decisions(survey)))
    if survey.nodes and not isinstance(survey.nodes, Unread):
        yield _table(("NODE WITHOUT FEATURES",), [(one,) for one in survey.nodes])


def _filled(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Table]:
    """A table, unless it would be empty."""
    if rows:
        yield _table(columns, rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(_plain, row))
    return table


def _plain(text: str) -> str:
    """Without what a terminal would obey: some of it comes from Pods."""
    return "".join(one if one.isprintable() else " " for one in text)


def _replicas(replicas: Sequence[Replica]) -> Table:
    columns = (
        "REPLICA", "READY", "VERSION", "KNOWN", "UNKNOWN", "IMAGES", "SPECS",
        "REVIEWS", "CERTIFICATE UNTIL", "SETTINGS OF",
    )  # fmt: skip
    rows = [
        (
            one.name,
            _ready(one, one.status),
            one.status.software,
            str(one.status.nodes.known),
            str(one.status.nodes.unknown),
            str(one.status.caches.images),
            str(one.status.caches.specs),
            str(one.status.load.reviews),
            str(one.status.certificate.get("notAfter") or "-"),
            one.status.settings.loaded or "-",
        )
        for one in replicas
        if one.status is not None
    ]
    return _table(columns, rows)


def _ready(replica: Replica, status: Status) -> str:
    if status.draining:
        return "ending"
    return "yes" if replica.is_ready and status.ready else "no"


def _watches(replicas: Sequence[Replica]) -> Table:
    rows = [
        (
            one.name,
            watch.resource,
            watch.namespace or "all",
            "yes" if watch.is_synced else "no",
            "never" if watch.silent_seconds is None else f"{watch.silent_seconds:.0f}",
            watch.problem or "-",
        )
        for one in replicas
        if one.status is not None
        for watch in one.status.watches
    ]
    columns = ("REPLICA", "WATCH", "NAMESPACE", "SYNCED", "SILENT (S)", "PROBLEM")
    return _table(columns, rows)


def _webhooks(survey: Survey) -> Iterator[tuple[str, ...]]:
    for found in (survey.configurations or {}).values():
        for one in () if isinstance(found, Unread) else found:
            for hook in one.hooks:
                yield (
                    hook.name,
                    str(one),
                    hook.failure_policy,
                    f"{hook.timeout_seconds} s",
                    "present" if hook.ca_bundle else "empty",
                    ", ".join(hook.exempt_namespaces) or "-",
                )


def _decisions(survey: Survey) -> Iterator[tuple[str, ...]]:
    """The last ones of all replicas, the newest first."""
    found = [
        (decided, one.name)
        for one in survey.answering
        if one.status is not None
        for decided in one.status.decisions
    ]
    found.sort(key=lambda pair: pair[0].time, reverse=True)
    for decided, name in found[:MAX_DECISIONS]:
        yield (
            decided.time,
            name,
            decided.decision + (" (dry run)" if decided.dry_run else ""),
            ", ".join(decided.codes) or decided.not_judged or "-",
            decided.kind,
            decided.namespace or "-",
            f"{decided.fits} of {decided.candidates}",
        )
