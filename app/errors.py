"""Who is at fault when we could not find out.

"No" is a value in this project: a node that does not fit, a missing artifact
and an excluded node are results. An exception means that a question could not
be answered, and its class says whose fault that is:

* `SpecError`: the author of a compatibility spec,
* `RegistryError`: a registry, or the way to it,
* `ClusterError`: the Kubernetes API server, or the way to it,
* `ReviewError`: whoever sent us something that is no AdmissionReview,
* `ConfigError`: whoever configured or called us.

Each carries a `reason`: one CamelCase word that is stable over versions, goes
to metrics and `Status.reason`, and never holds input.
"""

from __future__ import annotations

from typing import Final


class ImagecompatError(Exception):
    """The root of every error that this package raises on purpose.

    Attributes:
        reason: one stable CamelCase word for the cause.
        message: what happened, for a person; no secret and no control character
            stands in it.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason: Final = reason
        self.message: Final = message


class SpecError(ImagecompatError):
    """A compatibility spec cannot be read or evaluated.

    Attributes:
        line: line in the spec's text, from 1; `None` where it is not known.
        column: column in that line, from 1; `None` where it is not known.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(reason, message)
        self.line: Final = line
        self.column: Final = column


class RegistryError(ImagecompatError):
    """A registry or an image layout did not give a usable answer."""


class ClusterError(ImagecompatError):
    """The Kubernetes API server did not give a usable answer."""


class ReviewError(ImagecompatError):
    """A request body is no AdmissionReview that we can answer.

    Attributes:
        status: the HTTP status to answer with, 4xx.
    """

    def __init__(self, reason: str, message: str, *, status: int) -> None:
        super().__init__(reason, message)
        self.status: Final = status


class ConfigError(ImagecompatError):
    """A setting, a flag or an argument is wrong."""
