"""The certificate in two files that somebody else keeps up to date.

Both files are looked at every few seconds, by content:

1. Both are read from one state of the folder: the kubelet swaps a mounted Secret
   by one symbolic link, `..data`, which is followed once for both.
2. Nothing changed since the last look: done.
3. A usable pair is served from the next handshake on.
4. A pair that is not (half written, another key, ended, not there, not yet good
   while the one before is) changes nothing: what is served goes on, with a
   warning, until the files are good again. Before the first good pair it is why
   we are not ready; the process waits.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, NoReturn

from app.certificates import pair as pairs
from app.certificates.pair import Pair, Unusable
from app.certificates.serving import Serving
from app.certificates.watching import Clock, Observer, SilentObserver

MAX_FILE_BYTES: Final = 1 << 20
"""A Secret cannot be larger."""

TRIES: Final = 3
"""The folder may be swapped between two reads."""

SOON_SHARE: Final = 0.1
"""So much of its life before its end, a certificate that nobody renewed is said."""

_EARLY: Final = "NotYetValid"

_Content = tuple[bytes, bytes]


class FileCertificates:
    """Implements the webhook's `Certificates` on two files."""

    def __init__(
        self,
        certificate: Path,
        key: Path,
        *,
        check_seconds: float,
        observer: Observer | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepares; nothing is read yet.

        Args:
            certificate: PEM, the leaf and its chain.
            key: PEM.
            check_seconds: how often the files are looked at.
            observer: is told what happens.
            clock: time.
        """
        self._certificate: Final = certificate
        self._key: Final = key
        self._check_seconds: Final = check_seconds
        self._observer: Final = observer or SilentObserver()
        self._clock: Final = clock or Clock()
        self._serving: Final = Serving()
        self._seen: str | None = None
        self._refused: Unusable | None = None
        self._taken_at: datetime | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks at the files, at once and then every few seconds."""
        self.check()
        task = asyncio.create_task(self._keep(), name="certificate files")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _keep(self) -> NoReturn:
        while True:
            await self._clock.sleep(self._check_seconds)
            try:
                self.check()
            except Exception:  # noqa: BLE001 - nobody would look again
                self._observer.erred("certificate check failed")

    async def available(self) -> None:
        """Returns once there is a certificate to serve."""
        await self._serving.available()

    def context(self) -> ssl.SSLContext:
        """The listener's; each handshake gets the newest certificate."""
        return self._serving.context

    def check(self) -> None:
        """Looks at the files, now; takes a good new pair into use."""
        found = self._read()
        seen = hashlib.sha256(repr(found).encode()).hexdigest()
        if seen == self._seen and not self._is_early:  # (2)
            return
        judged = self._judge(found)
        if (seen, judged) == (self._seen, self._refused):
            return
        self._seen = seen
        if isinstance(judged, Unusable):  # (4)
            self._refused = judged
            self._tell_refused(judged)
        else:  # (3)
            self._refused = None
            self._taken_at = self._clock.now()
            self._tell_taken(judged)

    def _judge(self, read: _Content | str) -> Pair | Unusable:
        """The pair that is served from now on, or why it is not."""
        if isinstance(read, str):
            return Unusable("Unreadable", read)
        now, serving = self._clock.now(), self._serving.pair
        found = pairs.read(*read, now=now)
        if isinstance(found, Unusable):
            return found
        if serving is not None and found.not_before > now < serving.not_after:
            begins = found.not_before.isoformat()
            return Unusable(_EARLY, f"the certificate begins at {begins}")
        return self._serving.take(found) or found

    @property
    def _is_early(self) -> bool:
        """Whether time alone will make the refused pair a good one."""
        return self._refused is not None and self._refused.reason == _EARLY

    def _tell_taken(self, pair: Pair) -> None:
        self._observer.reloaded("taken")
        self._observer.refused(is_refused=False)
        self._observer.expiry("leaf", pair.not_after)
        self._observer.said(
            "certificate taken",
            file=str(self._certificate),
            fingerprint=pair.fingerprint,
            notAfter=pair.not_after.isoformat(),
        )

    def _tell_refused(self, why: Unusable) -> None:
        self._observer.reloaded("broken")
        self._observer.refused(is_refused=True)
        self._observer.warned(
            "certificate refused",
            file=str(self._certificate),
            reason=why.reason,
            detail=why.text,
            kept=self._serving.pair is not None,
        )

    def _read(self) -> _Content | str:
        """Both files at one moment, or why they cannot be read."""
        failure = ""
        for _ in range(TRIES):
            try:
                certificate, key = _places(self._certificate, self._key)  # (1)
                return _bounded(certificate), _bounded(key)
            except OSError as error:
                failure = f"{error.filename}: {error.strerror}"
            except RuntimeError:
                failure = f"{self._certificate}: links that lead in a circle"
        return failure

    def problems(self) -> tuple[str, ...]:
        """Why nobody can be served, for `/readyz`; empty when ready."""
        serving = self._serving.pair
        if serving is None:
            why = self._refused or "not read yet"
            return (f"certificate: {self._certificate}: {why}",)
        if serving.not_after <= self._clock.now():
            return (f"certificate: it ended at {serving.not_after.isoformat()}",)
        return ()

    def warnings(self) -> tuple[str, ...]:
        """What a person should look at, though we serve."""
        serving = self._serving.pair
        if serving is None:
            return ()
        found = []
        if self._refused is not None:
            text = f"{self._certificate}: {self._refused}; the one before is kept"
            found.append(f"certificate: {text}")
        if ends_soon(serving, self._clock.now()):
            found.append(f"certificate: it ends at {serving.not_after.isoformat()}")
        return tuple(found)

    def status(self) -> Mapping[str, object]:
        """What `/statusz` shows."""
        at = self._taken_at
        return {
            "mode": "files",
            "file": str(self._certificate),
            **pair_status(self._serving.pair),
            "lastRotation": None if at is None else at.isoformat(),
            "lastError": None if self._refused is None else self._refused.text,
        }


def ends_soon(pair: Pair, now: datetime) -> bool:
    """Whether `pair` is in the last part of its life."""
    left, life = pair.not_after - now, pair.not_after - pair.not_before
    return 0 < left.total_seconds() < SOON_SHARE * life.total_seconds()


def pair_status(pair: Pair | None) -> dict[str, object]:
    """What may be told about a pair."""
    if pair is None:
        return {"subject": None}
    return {
        "subject": pair.leaf.subject.rfc4514_string(),
        "names": list(pair.names),
        "notBefore": pair.not_before.isoformat(),
        "notAfter": pair.not_after.isoformat(),
        "fingerprint": pair.fingerprint,
        "issuer": pair.leaf.issuer.rfc4514_string(),
    }


def _places(certificate: Path, key: Path) -> tuple[Path, Path]:
    """Where both files are now; in a folder of the kubelet's, in one state of it."""
    folder = certificate.parent
    if folder != key.parent or not (folder / "..data").is_symlink():
        return certificate, key
    state = (folder / "..data").resolve(strict=True)
    return state / certificate.name, state / key.name


def _bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES)
