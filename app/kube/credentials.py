"""Credentials that a program of the kubeconfig gives (`users[].user.exec`).

The official package logs what such a program printed, and goes on without credentials,
as `system:anonymous`. Here its failure is an error, and nothing that it printed is
repeated: that may hold a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from kubernetes.aio.config import ConfigException
from kubernetes.aio.config.exec_provider import ExecProvider
from kubernetes.aio.config.kube_config import (
    FileOrData,
    KubeConfigLoader,
    KubeConfigMerger,
)

from app.errors import ClusterError

CREDENTIALS: Final = "Credentials"

_RETURNED: Final = re.compile(r"exec: process returned (-?[0-9]+)")


class Loader(KubeConfigLoader):
    """Reads a kubeconfig as the official package does, but for such programs.

    Args:
        path: of the file, or several as in `$KUBECONFIG`.
        context: of that file; `None` for its current one.
    """

    def __init__(self, path: Path, context: str | None) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            config_dict=_read(path),
            config_base_path=None,
            active_context=context,
        )

    async def load_from_exec_plugin(self) -> bool:
        """Runs the program, and takes its token or certificate.

        Raises:
            ClusterError: it cannot be run, fails, or gives none.
        """
        wanted: Any = self._user["exec"]  # type: ignore[index]
        provider = ExecProvider(wanted)  # type: ignore[no-untyped-call]
        name = os.path.basename(str(wanted["command"]))  # noqa: PTH119 - as typed
        try:
            status = await provider.run()  # type: ignore[no-untyped-call]
        except OSError as error:
            _refuse(name, f"cannot be run: {error.strerror or 'it cannot be found'}")
        except ConfigException as error:
            code = _RETURNED.match(str(error))
            if code is None:
                _refuse(name, "printed no credential")
            _refuse(name, f"failed (exit {code[1]}): log in again")
        except (AttributeError, KeyError, TypeError, ValueError):
            _refuse(name, "printed no credential")
        self._take(name, status)
        return True

    def _take(self, name: str, status: object) -> None:
        found: Mapping[str, Any] = status if isinstance(status, dict) else {}
        if isinstance(found.get("token"), str):
            self.token = f"Bearer {found['token']}"
            return
        pair = ("clientCertificateData", "clientKeyData")
        if not all(isinstance(found.get(key), str) for key in pair):
            _refuse(name, "gave neither a token nor a certificate with its key")
        self.cert_file, self.key_file = (_file(found, key) for key in pair)


def _read(path: Path) -> object:
    merged: Any = KubeConfigMerger(str(path))  # type: ignore[no-untyped-call]
    return merged.config


def _file(found: Mapping[str, Any], key: str) -> str:
    data: Any = FileOrData(  # type: ignore[no-untyped-call]
        found, None, data_key_name=key, base64_file_content=False
    )
    return str(data.as_file())


def _refuse(name: str, text: str) -> NoReturn:
    shown = "".join(one if one.isprintable() else "?" for one in name)
    raise ClusterError(CREDENTIALS, f"the credential program {shown} {text}")
