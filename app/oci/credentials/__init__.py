"""Credentials for registries: where they come from, and which fits an image."""

from app.oci.credentials.docker_config import MAX_CONFIG_BYTES, read
from app.oci.credentials.glob import glob
from app.oci.credentials.keyring import (
    NOTHING,
    Credential,
    Entry,
    Keyring,
    Offers,
    Ring,
    fingerprint,
)

__all__ = [
    "MAX_CONFIG_BYTES",
    "NOTHING",
    "Credential",
    "Entry",
    "Keyring",
    "Offers",
    "Ring",
    "fingerprint",
    "glob",
    "read",
]
