"""`manifests/`: the chart, rendered for `kubectl apply`."""

from __future__ import annotations

import re
from typing import Final

from tests.chart import rendering, validate_job

APPLY: Final = """\
# {title}
# Rendered from charts/imagecompat by `make manifests`; edit the chart instead.
#
#   kubectl create namespace imagecompat
#   kubectl apply --server-side -f {name}
#
# The namespace comes first: no object of ours makes one.
"""

RESTORE: Final = """\
# Only the webhook configurations: they bring a webhook back that somebody took out of
# the API server's way (docs/how-to/break-glass.md). The Pods fill in `caBundle`.
# Rendered from charts/imagecompat by `make manifests`; edit the chart instead.
#
#   kubectl apply --server-side -f webhooks.yaml
"""

NO_DASHBOARD: Final = ("dashboard.enabled=false",)

_CONFIGURATIONS: Final = tuple(
    f"templates/{kind}webhookconfiguration.yaml" for kind in ("validating", "mutating")
)


def files() -> dict[str, str]:
    """Name -> content.

    Raises:
        ToolError: there is no Helm.
    """
    shown = [part for one in _CONFIGURATIONS for part in ("--show-only", one)]
    high = rendering.CHART / "values-ha.yaml"
    return {
        "install.yaml": APPLY.format(
            title="imagecompat, with the defaults.", name="install.yaml"
        )
        + _tidy(rendering.text(flags=("--no-hooks",))),
        "install-ha.yaml": APPLY.format(
            title="imagecompat, for clusters that rely on it: values-ha.yaml,\n"
            "# without the dashboard (charts/imagecompat/files/dashboard.json).",
            name="install-ha.yaml",
        )
        + _tidy(rendering.text(high, sets=NO_DASHBOARD, flags=("--no-hooks",))),
        validate_job.NAME: validate_job.text(),
        "webhooks.yaml": RESTORE + _tidy(rendering.text(flags=tuple(shown))),
    }


def _tidy(text: str) -> str:
    """Without empty lines, which Helm 3 and 4 leave differently."""
    lines = [line.rstrip() for line in text.splitlines()]
    kept = "\n".join(line for line in lines if line)
    return re.sub(r"^(---\n)+", "---\n", kept, flags=re.MULTILINE) + "\n"
