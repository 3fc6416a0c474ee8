"""Settings from a file, the environment and defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from app.errors import ConfigError
from app.settings.sections import Settings

MAX_FILE_BYTES: Final = 1 << 20
"""A ConfigMap cannot be larger."""


def load(path: Path | None) -> Settings:
    """Settings from a file, the environment and defaults.

    Args:
        path: a YAML file; `None` for none.

    Raises:
        ConfigError: the file cannot be read or a value is wrong; the message
            names each place and what was expected.
    """
    try:
        return Settings(**_read(path)) if path is not None else Settings()
    except ValidationError as error:
        lines = (
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)
        )
        where = path if path is not None else "the environment"
        text = f"{where}: " + "; ".join(lines)
        raise ConfigError("InvalidSettings", text) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        text = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError("InvalidSettings", text) from error
    if len(raw) > MAX_FILE_BYTES:
        text = f"{path}: larger than {MAX_FILE_BYTES} bytes"
        raise ConfigError("InvalidSettings", text)
    try:
        content = yaml.safe_load(raw)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        text = f"{path}: no valid YAML: {error}"
        raise ConfigError("InvalidSettings", text) from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(k, str) for k in content):
        text = f"{path}: expected a mapping of settings at the top"
        raise ConfigError("InvalidSettings", text)
    return content
