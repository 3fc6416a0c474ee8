"""A Pod that no node fits, created by dry run, and what the answer tells.

The Pod asks for nothing but an image whose spec no node can meet; it tolerates
every taint, so that every node is a candidate, and keeps to Pod Security's
`restricted`. By dry run: it goes through admission and is never stored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, Final

import msgspec

from app.admission.annotations import PREFIX
from app.admission.verdict import Code, Verdict
from app.cli.installed.asking import Api, Created

POLL_SECONDS: Final = 1.0
FORBIDDEN_SECONDS: Final = 10.0
"""Rights that were granted a moment ago hold within this time."""

ANNOTATED_SECONDS: Final = 5.0
"""An annotation alone is right for mode audit, or the start of more: the two
webhooks do not come to life at the same moment."""

VERDICT_KEY: Final = PREFIX + "verdict"

_DENIED: Final = re.compile(
    r'admission webhook "[a-z.]*imagecompat\.dev" denied the request: (.*)', re.DOTALL
)
_NOT_CALLED: Final = re.compile(r'failed calling webhook "[a-z.]*imagecompat\.dev"')
_FINAL: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_CODE: Final = re.compile(r"\[(IC\d{3})\]")


class How(Enum):
    """How the webhook made itself heard, or what was heard instead."""

    DENIED = auto()
    WARNED = auto()
    ANNOTATED = auto()
    SILENT = auto()
    NOT_CALLED = auto()
    """The API server failed to call it, and `failurePolicy` is Fail."""
    REFUSED = auto()
    """Somebody else refused the Pod; `status` and `text` say who."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back.

    Attributes:
        how: by which of the ways.
        text: its first line, or the annotation's value.
        code: `IC101`; empty if there is none.
        status: the HTTP status.
    """

    how: How
    text: str = ""
    code: str = ""
    status: int = 200

    @property
    def is_expected(self) -> bool:
        """Whether the webhook said that no node fits."""
        if self.how is How.ANNOTATED:
            return self.text == Verdict.DOES_NOT_FIT.value
        return self.code == Code.INCOMPATIBLE.value

    @property
    def is_final(self) -> bool:
        """Whether asking again would be answered the same."""
        return self.how is How.REFUSED and self.status in _FINAL


def pod(image: str) -> dict[str, Any]:
    """The Pod that is sent."""
    resources = {"cpu": "10m", "memory": "16Mi"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "imagecompat-selftest-"},
        "spec": {
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "tolerations": [{"operator": "Exists"}],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "unfit",
                    "image": image,
                    "resources": {"requests": resources, "limits": resources},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }


async def ask(api: Api, *, namespace: str, image: str) -> Heard:
    """Sends the Pod by dry run.

    Raises:
        ClusterError: there is no way to the API server.
    """
    path = f"/api/v1/namespaces/{namespace}/pods"
    body = msgspec.json.encode(pod(image))
    return hear(await api.create(path, {"dryRun": "All"}, body))


class _Metadata(msgspec.Struct):
    annotations: dict[str, str] = msgspec.field(default_factory=dict)


class _Answer(msgspec.Struct):
    """A Pod, or a Status."""

    message: str = ""
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


def hear(created: Created) -> Heard:
    """What an answer of the API server tells about the webhook."""
    try:
        answer = msgspec.json.decode(created.body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answer = _Answer()
    if created.status >= 300:  # noqa: PLR2004 - HTTP's classes
        return _refusal(created.status, answer.message)
    coded = {_code(warning): warning for warning in reversed(created.warnings)}
    for code in (Code.INCOMPATIBLE.value, *sorted(coded.keys() - {""})):
        if code in coded:
            return Heard(How.WARNED, _first_line(coded[code]), code)
    verdict = answer.metadata.annotations.get(VERDICT_KEY)
    return Heard(How.ANNOTATED, verdict) if verdict else Heard(How.SILENT)


def _refusal(status: int, message: str) -> Heard:
    denied = _DENIED.search(message)
    if denied:
        return Heard(How.DENIED, _first_line(denied[1]), _code(denied[1]), status)
    how = How.NOT_CALLED if _NOT_CALLED.search(message) else How.REFUSED
    return Heard(how, _first_line(message), status=status)


def _code(text: str) -> str:
    found = _CODE.search(text)
    return found[1] if found else ""


def _first_line(text: str) -> str:
    """The first line, without what a terminal would obey."""
    line = (text.splitlines() or [""])[0]
    return "".join(one if one.isprintable() else " " for one in line)


async def wait(
    asking: Callable[[], Awaitable[Heard]],
    *,
    seconds: float,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> Heard:
    """Asks until the webhook says what is expected, or the time is up.

    Right after an installation that takes a while: the certificate is published,
    the API server learns of the webhook and of rights, nodes get their features.
    """
    started = clock()
    while True:
        heard = await asking()
        left = min(seconds, _patience(heard)) - (clock() - started)
        if left <= 0:
            return heard
        await sleep(min(POLL_SECONDS, left))


def _patience(heard: Heard) -> float:
    """How long, from the start, something better than this may still come."""
    if heard.how is How.ANNOTATED and heard.is_expected:
        return ANNOTATED_SECONDS
    if heard.is_expected or heard.is_final:
        return 0.0
    if heard.how is How.REFUSED and heard.status == HTTPStatus.FORBIDDEN:
        return FORBIDDEN_SECONDS
    return math.inf
