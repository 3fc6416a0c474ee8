"""Every metric, in one table.

Names carry the prefix `imagecompat_` and base units; label sets are closed and
small: no image, Pod or node name ever becomes a label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

PREFIX: Final = "imagecompat_"


@dataclass(frozen=True, slots=True)
class Metric:
    """One row: what a metric is called and what it says.

    Attributes:
        name: without the prefix.
        kind: Prometheus' own word.
        help: one sentence.
        labels: their names.
        values: of each label, where there are few. Such a counter starts at 0: a
            series that begins at 1 would hide its first event from `increase`.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ()


_WEBHOOKS: Final = ("validate", "mutate")
_CODES: Final = (
    *("IC101", "IC102", "IC103"),
    *("IC201", "IC202", "IC203", "IC204", "IC205"),
    *("IC301", "IC302"),
)


METRICS: Final = (
    Metric(
        "admission_requests_total",
        "counter",
        "Reviews answered, by webhook, operation and what became of them.",
        ("webhook", "operation", "decision"),
    ),
    Metric(
        "admission_duration_seconds",
        "histogram",
        "Time from the body's last byte to the answer.",
        ("webhook", "decision"),
    ),
    Metric(
        "admission_causes_total",
        "counter",
        "Causes found in reviews, by code.",
        ("code",),
        (_CODES,),
    ),
    Metric(
        "admission_rejected_bodies_total",
        "counter",
        "Bodies that were no AdmissionReview that we can answer.",
        ("reason",),
    ),
    Metric(
        "admission_not_judged_total",
        "counter",
        "Reviews of the validating webhook that were not judged, and why not.",
        ("why",),
    ),
    Metric("admission_in_flight", "gauge", "Reviews that are under way."),
    Metric(
        "admission_shed_total",
        "counter",
        "Reviews beyond `server.maxReviews`, answered by `policy.onOverload`.",
        ("webhook",),
        (_WEBHOOKS,),
    ),
    Metric(
        "admission_expired_total",
        "counter",
        "Reviews dropped because the API server no longer waited for them.",
        ("webhook",),
        (_WEBHOOKS,),
    ),
    Metric(
        "evaluations_total",
        "counter",
        "New specs: judged, invalid, too_costly, failed, or refused for want of room.",
        ("result",),
        (("judged", "invalid", "too_costly", "failed", "refused"),),
    ),
    Metric(
        "evaluation_duration_seconds",
        "histogram",
        "Time that the worker thread took for such a spec.",
    ),
    Metric(
        "registry_requests_total",
        "counter",
        "Requests to registries, by kind and outcome.",
        ("kind", "outcome"),
    ),
    Metric(
        "registry_lookups_total",
        "counter",
        "Images looked up: known (hit), under way (joined), new (miss); "
        "of these stale.",
        ("result",),
        (("hit", "joined", "miss", "stale"),),
    ),
    Metric(
        "registry_request_duration_seconds",
        "histogram",
        "Time from a request to a registry to the end of its answer.",
        ("kind",),
    ),
    Metric(
        "registry_circuits",
        "gauge",
        "Registries and repositories left alone (open), or tried again (half open).",
        ("state",),
    ),
    Metric(
        "registry_circuits_opened_total",
        "counter",
        "How often a registry or a repository was left alone: it failed too often.",
    ),
    Metric(
        "credential_programs_total",
        "counter",
        "Runs of credential helpers and of the kubelet's plugins, by outcome.",
        ("kind", "outcome"),
        (
            ("helper", "plugin"),
            (
                *("given", "nothing", "failed", "invalid"),
                *("not_started", "timeout", "too_large"),
            ),
        ),
    ),
    Metric(
        "pull_secret_reads_total",
        "counter",
        "Secrets and ServiceAccounts for images of Pods, by what became of each.",
        ("resource", "event"),
    ),
    Metric("nodes", "gauge", "Nodes, by whether their features are known.", ("state",)),
    Metric("cluster_stale_seconds", "gauge", "Silence of the API server."),
    Metric(
        "watch_events_total",
        "counter",
        "Events of list and watch, by resource and what happened.",
        ("resource", "event"),
    ),
    Metric(
        "watch_last_event_timestamp_seconds",
        "gauge",
        "When the API server was last heard, seconds since 1970; 0 for never.",
        ("resource",),
    ),
    Metric(
        "node_feature_kind_absent",
        "gauge",
        "1 while the NodeFeature CRD is not installed.",
    ),
    Metric(
        "node_feature_data_missing",
        "gauge",
        "1 while nodes exist, but no NodeFeature in a trusted namespace.",
    ),
    Metric(
        "exemptions",
        "gauge",
        "Exemptions in the settings, by whether they hold or have expired.",
        ("state",),
    ),
    Metric("specs_remembered", "gauge", "Specs whose answers for all nodes are kept."),
    Metric(
        "cache_entries",
        "gauge",
        "What is remembered of registries and pull secrets, by what it is.",
        ("cache",),
    ),
    Metric("cache_bytes", "gauge", "Roughly what that takes.", ("cache",)),
    Metric(
        "cache_evictions_total",
        "counter",
        "Entries of these that went before their time, for want of room.",
        ("cache",),
        values=(("images", "tags", "referrers", "contents"),),
    ),
    Metric("answers_bytes", "gauge", "Roughly what these answers take."),
    Metric(
        "evaluations_waiting",
        "gauge",
        "New specs that wait for the worker thread, or are in it.",
    ),
    Metric("ready", "gauge", "1 while `/readyz` answers 200."),
    Metric(
        "certificate_expiry_timestamp_seconds",
        "gauge",
        "When what is served or published ends, seconds since 1970; 0 for none.",
        ("certificate",),
    ),
    Metric(
        "certificate_published",
        "gauge",
        "1 while every `caBundle` of ours trusts the certificate that is served.",
    ),
    Metric(
        "certificate_rotations_total",
        "counter",
        "Certificates and authorities made, and bundles published, by outcome.",
        ("what", "result"),
        (("authority", "leaf", "bundle"), ("made", "lost", "failed")),
    ),
    Metric(
        "certificate_reloads_total",
        "counter",
        "Certificates taken into use; `broken`: refused, the old one is kept.",
        ("result",),
        (("taken", "broken"),),
    ),
    Metric(
        "certificate_refused",
        "gauge",
        "1 while a new certificate is refused and the one before it is kept.",
    ),
    Metric(
        "config_reloads_total",
        "counter",
        "Changed settings files; `invalid`: refused, the old settings are kept.",
        ("result",),
        (("applied", "unchanged", "invalid", "failed"),),
    ),
    Metric(
        "config_invalid",
        "gauge",
        "1 while the settings file is invalid and older settings hold.",
    ),
    Metric(
        "config_restart_needed",
        "gauge",
        "1 while the settings file has changes that need a new process.",
    ),
    Metric(
        "config_reload_success_timestamp_seconds",
        "gauge",
        "When settings were last taken into use, seconds since 1970.",
    ),
    Metric(
        "policy_mode",
        "gauge",
        "1 for the mode of namespaces without a label of their own.",
        ("mode",),
    ),
    Metric(
        "nodes_may_appear",
        "gauge",
        "1 while an autoscaler may add nodes, so that a misfit is a warning.",
    ),
    Metric(
        "event_loop_lag_seconds",
        "gauge",
        "The longest standstill of the event loop since the metrics were last read.",
    ),
    Metric("build_info", "gauge", "Always 1; the version is the label.", ("version",)),
)


PROCESS: Final = (
    Metric("process_cpu_seconds_total", "counter", "Processor time, in seconds."),
    Metric("process_resident_memory_bytes", "gauge", "Memory in use."),
    Metric("process_virtual_memory_bytes", "gauge", "Memory that is addressed."),
    Metric("process_start_time_seconds", "gauge", "When it began, seconds since 1970."),
    Metric("process_open_fds", "gauge", "Open files and connections."),
    Metric("process_max_fds", "gauge", "How many there may be."),
    Metric(
        "python_gc_objects_collected_total",
        "counter",
        "Objects that the garbage collector found.",
        ("generation",),
    ),
    Metric(
        "python_gc_objects_uncollectable_total",
        "counter",
        "Objects that it cannot free.",
        ("generation",),
    ),
    Metric(
        "python_gc_collections_total",
        "counter",
        "Its runs.",
        ("generation",),
    ),
    Metric(
        "python_info",
        "gauge",
        "Always 1; the interpreter is in the labels.",
        ("implementation", "major", "minor", "patchlevel", "version"),
    ),
)
"""What Prometheus' client tells of any Python process; the names are whole."""
