"""Credentials for registries: where they come from, and which fits an image."""

from app.oci.credentials.docker_config import MAX_CONFIG_BYTES, MAX_ENTRIES, read
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
from app.oci.credentials.pull_secrets import keyring_of

__all__ = [
    "MAX_CONFIG_BYTES",
    "MAX_ENTRIES",
    "NOTHING",
    "Credential",
    "Entry",
    "Keyring",
    "Offers",
    "Ring",
    "fingerprint",
    "glob",
    "keyring_of",
    "read",
]
