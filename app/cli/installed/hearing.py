"""What the self-test prints, and its exit status."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from app.cli.installed import diagnosis, probe
from app.cli.installed.asking import Api
from app.cli.installed.diagnosis import Diagnosis
from app.cli.installed.probe import Heard, How
from app.cli.output import BAD_INPUT, COULD_NOT_FIND_OUT, DOES_NOT_FIT, FITS

_OTHER_CODES: Final = {
    "IC102": "there are no nodes that it could judge",
    "IC103": "it knows too little of the nodes: look at `imagecompat status`, "
    "and whether Node Feature Discovery runs on them",
    "IC201": "it finds no spec of the image: is the image's layout mounted, and "
    "the image name right?",
    "IC202": "it does not get at the image's spec",
    "IC204": "it does not find the image: is its layout mounted?",
    "IC205": "the image's spec is not valid",
    "IC301": "it failed; its log says how",
    "IC302": "it is overloaded",
}
"""Code -> what it means for an image that is known to fit no node."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is printed.

    Attributes:
        lines: in order, without line ends.
        status: the exit status.
    """

    lines: tuple[str, ...]
    status: int


async def listen(
    api: Api,
    *,
    namespace: str,
    image: str,
    seconds: float,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> Report:
    """Sends the Pod until the webhook is heard, and says what was heard.

    Raises:
        ClusterError: there is no way to the API server.
    """
    heard = await probe.wait(
        lambda: probe.ask(api, namespace=namespace, image=image),
        seconds=seconds,
        clock=clock,
        sleep=sleep,
    )
    why = None
    if heard.how in (How.SILENT, How.NOT_CALLED, How.ANNOTATED):
        why = await diagnosis.why_silent(api, namespace)
    return report(heard, namespace, why)


def report(heard: Heard, namespace: str, why: Diagnosis | None) -> Report:
    """What was heard, in words."""
    match heard.how:
        case How.REFUSED:
            return _refused(heard, namespace)
        case How.SILENT:
            return _silent("the Pod was admitted without a word", why)
        case How.NOT_CALLED:
            return _silent(f"the API server could not ask: {heard.text}", why)
        case How.ANNOTATED if heard.is_expected:
            return _annotated(heard, why)
        case How.ANNOTATED:
            text = f"the Pod was annotated {probe.VERDICT_KEY}: {heard.text}"
            return Report((f"failed: {text}", _hint("IC201")), DOES_NOT_FIT)
        case How.DENIED | How.WARNED:
            return _spoken(heard)


def _spoken(heard: Heard) -> Report:
    verb = "denied" if heard.how is How.DENIED else "warned about"
    line = f"the Pod was {verb}: {heard.text}"
    if heard.is_expected:
        return Report((f"ok: {line}",), FITS)
    return Report((f"failed: {line}", _hint(heard.code)), DOES_NOT_FIT)


def _hint(code: str) -> str:
    return f"the webhook answers, but {_OTHER_CODES.get(code, 'not as expected')}"


def _annotated(heard: Heard, why: Diagnosis | None) -> Report:
    """The annotating webhook works; the other one may have nothing to say (audit)."""
    line = f"the Pod was annotated {probe.VERDICT_KEY}: {heard.text}"
    causes = why.causes if why else ()
    lines = tuple(f"problem: {one.problem}; do: {one.do}" for one in causes)
    if lines and not any(one.is_by_choice for one in causes):
        return Report((f"failed: {line}, but not denied", *lines), DOES_NOT_FIT)
    note = "no denial and no warning: right for mode audit only"
    return Report((f"ok: {line}", note, *lines), FITS)


def _silent(what: str, why: Diagnosis | None) -> Report:
    lines = [f"failed: {what}"]
    if why is not None:
        lines += [f"problem: {one.problem}; do: {one.do}" for one in why.causes]
        lines += [f"perhaps: {one}" for one in why.leads]
        lines += [f"not seen: {one}" for one in why.unread]
    return Report(tuple(lines), DOES_NOT_FIT)


def _refused(heard: Heard, namespace: str) -> Report:
    said = f"{heard.status}: {heard.text or 'no detail'}"
    if heard.status == HTTPStatus.NOT_FOUND:
        return Report((f"there is no namespace {namespace} ({said})",), BAD_INPUT)
    if heard.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        return Report((f"the API server takes no such Pod ({said})",), BAD_INPUT)
    line = f"could not find out: the API server refused the Pod ({said})"
    return Report((line,), COULD_NOT_FIND_OUT)
