"""Every setting, and how a process comes by its own.

A settings file is YAML with the camelCase names (`policy: {onUnavailable: allow}`);
an environment variable with the prefix `IMAGECOMPAT_` and `__` between levels
overrides it (`IMAGECOMPAT_SERVER__PORT=8443`). Unknown keys are errors, with their
place.
"""

from app.settings.faults import Fault
from app.settings.loading import (
    MAX_FILE_BYTES,
    Accepted,
    Refused,
    judge,
    judge_file,
    load,
    read_file,
)
from app.settings.registry import (
    PullSecretSettings,
    RegistryHostSettings,
    RegistryLimitSettings,
    RegistryProxySettings,
    RegistrySettings,
    RegistryTimeSettings,
    SecretReading,
)
from app.settings.sections import (
    CertificateMode,
    CertificateSettings,
    ClusterSettings,
    ExemptionSettings,
    PolicySettings,
    ServerSettings,
    Settings,
)

__all__ = [
    "MAX_FILE_BYTES",
    "Accepted",
    "CertificateMode",
    "CertificateSettings",
    "ClusterSettings",
    "ExemptionSettings",
    "Fault",
    "PolicySettings",
    "PullSecretSettings",
    "Refused",
    "RegistryHostSettings",
    "RegistryLimitSettings",
    "RegistryProxySettings",
    "RegistrySettings",
    "RegistryTimeSettings",
    "SecretReading",
    "ServerSettings",
    "Settings",
    "judge",
    "judge_file",
    "load",
    "read_file",
]
