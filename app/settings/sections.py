"""Every setting, with its unit and its reason: one frozen class per concern.

A field's name in a settings file is its camelCase alias (`onUnavailable`), in the
environment its name in capitals (`IMAGECOMPAT_POLICY__ON_UNAVAILABLE`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.admission.exemption import Exemption
from app.admission.message import Detail
from app.admission.policy import (
    POOL_LABELS,
    Action,
    LabelledModes,
    Mode,
    NodesMayAppear,
    Policy,
)
from app.compat.outcome import UnpublishedFeatures
from app.errors import ConfigError
from app.scheduling import selector
from app.settings.registry import RegistrySettings
from app.settings.section import Section


def _action(value: object) -> object:
    """`deny`, `warn` or `allow`, as people write it."""
    if isinstance(value, str):
        try:
            return Action[value.upper()]
        except KeyError:
            raise ValueError("expected one of deny, warn, allow") from None
    return value


ActionField = Annotated[Action, BeforeValidator(_action)]


class ServerSettings(Section):
    """The webhook's own HTTPS server."""

    host: str = "0.0.0.0"  # noqa: S104 - a Pod listens on its own address
    """Address to listen on."""
    port: int = Field(default=9443, ge=0, le=65535)
    """TCP port; 0 lets the system choose one."""
    certificate: Path | None = None
    """PEM file with the serving certificate and its chain; with `privateKey`."""
    private_key: Path | None = None
    """PEM file with its key."""
    max_body_bytes: int = Field(default=8 << 20, ge=1 << 10)
    """A review can hold an object and its predecessor, 3 MiB each at the most."""
    validate_timeout_seconds: float = Field(default=5.0, gt=0, le=30)
    """Assumed where the API server does not say how long it waits."""
    mutate_timeout_seconds: float = Field(default=2.0, gt=0, le=30)
    """The same for the mutating webhook."""
    deadline_share: float = Field(default=0.8, gt=0, lt=1)
    """Our part of the time that the API server grants; the rest is the way."""
    keep_alive_seconds: int = Field(default=120, ge=1)
    """Longer than the 90 s for which the API server keeps an idle connection."""
    max_reviews: int = Field(default=512, ge=1)
    """Reviews at the same time; more are answered by `policy.onOverload`."""
    status_port: int = Field(default=8080, ge=0, le=65535)
    """TCP port of health, metrics and status, in plain HTTP; 0: any."""
    drain_seconds: float = Field(default=10.0, ge=0, le=600)
    """After SIGTERM: not ready, but serving, until the API server has noticed."""
    shutdown_seconds: float = Field(default=15.0, ge=0, le=600)
    """After that: how long reviews that are under way may still take."""
    requests_per_connection: int = Field(default=1000, ge=1)
    """Roughly so many, then the API server has to connect again, perhaps elsewhere."""
    connection_seconds: float = Field(default=300.0, gt=0)
    """Roughly so long, for the same reason."""
    stuck_seconds: float = Field(default=30.0, gt=0)
    """A longer standstill of the event loop is logged; 10 times that in one job of the
    worker fails `/livez`."""
    check_seconds: float = Field(default=10.0, gt=0, le=3600)
    """How often the settings file and certificate files are looked at for changes."""


_SHORTEST_LIFE_SECONDS: Final = 2
"""Of a certificate, whose times are whole seconds."""


class CertificateMode(StrEnum):
    """Who makes the serving certificate."""

    FILES = "files"
    SELF = "self"


class CertificateSettings(Section):
    """Where the serving certificate comes from, and for how long it is good."""

    mode: CertificateMode = CertificateMode.FILES
    """`files`: `server.certificate`, from whoever writes it; `self`: made by us."""
    namespace: str = "imagecompat"
    """Namespace of the Secret and the Service; the chart sets it."""
    secret: str = "imagecompat-tls"  # noqa: S105 - the name of a Secret
    """Secret with authority, certificate and keys; the replicas share it."""
    service: str = "imagecompat"
    """Service that the certificate is for: `SERVICE.NAMESPACE.svc`."""
    cluster_domain: str = "cluster.local"
    """Also good for `SERVICE.NAMESPACE.svc.DOMAIN`."""
    validating_configuration: str = "imagecompat"
    """ValidatingWebhookConfiguration whose `caBundle` is ours; empty for none."""
    mutating_configuration: str = "imagecompat"
    """MutatingWebhookConfiguration whose `caBundle` is ours; empty for none."""
    authority_seconds: float = Field(default=5 * 365 * 86400.0, gt=0)
    """Life of an authority."""
    leaf_seconds: float = Field(default=90 * 86400.0, gt=0)
    """Life of a serving certificate, and no longer than its authority's."""
    renew_at: float = Field(default=2 / 3, gt=0, lt=1)
    """Share of its life after which each is renewed."""
    publish_seconds: float = Field(default=60.0, ge=0)
    """From an authority in every `caBundle` to the first certificate that it signs."""

    @model_validator(mode="after")
    def _lasts_long_enough(self) -> Self:
        """A new authority must be published before what the old one signed ends."""
        if min(self.leaf_seconds, self.authority_seconds) < _SHORTEST_LIFE_SECONDS:
            text = (
                f"leafSeconds and authoritySeconds: at least {_SHORTEST_LIFE_SECONDS}"
            )
            raise ValueError(text)
        left = min(self.leaf_seconds, (1 - self.renew_at) * self.authority_seconds)
        if self.publish_seconds >= left:
            raise ValueError(
                f"publishSeconds: expected less than {left:g}, "
                "which is left of a leaf's and an authority's life"
            )
        return self


class ClusterSettings(Section):
    """Where nodes and their features come from."""

    kubeconfig: Path | None = None
    """A kubeconfig file; without one, the Pod's own service account."""
    context: str | None = None
    """Context of that file; without one, its current context."""
    trusted_namespaces: tuple[str, ...] = ("node-feature-discovery",)
    """NodeFeature objects count from these only; the first is NFD's own."""
    schedulers: frozenset[str] = frozenset({"default-scheduler"})
    """`schedulerName`s that filter by taints as kube-scheduler does."""
    nodes_ignore: str = "type=virtual-kubelet"
    """Label selector, as for `kubectl -l`, of nodes that NFD never describes."""
    transient_taints: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """More taint keys that go away by themselves; one that ends in `*` is a prefix."""

    @field_validator("nodes_ignore")
    @classmethod
    def _is_selector(cls, text: str) -> str:
        """A selector that cannot be read would ignore nothing, or everything."""
        try:
            selector.parse(text)
        except ConfigError as error:
            raise ValueError(error.message) from None
        return text


def _account(pattern: str) -> str:
    """A pattern of `namespace/name` that can match one."""
    if "/" not in pattern and not any(one in pattern for one in "*?["):
        raise ValueError("expected namespace/name")
    return pattern


_AccountPattern = Annotated[str, AfterValidator(_account)]


class ExemptionSettings(Section):
    """What is left alone: at least one list, and each that is given must match."""

    owner: str = Field(min_length=1)
    """Whom to ask."""
    reason: str = Field(min_length=1)
    """Why it is there."""
    namespaces: tuple[str, ...] = ()
    """Patterns of names (`team-*`)."""
    images: tuple[str, ...] = ()
    """Patterns of references as Pods write them; the other images are judged."""
    service_accounts: tuple[_AccountPattern, ...] = ()
    """Patterns of `namespace/name`."""
    expires: AwareDatetime | date | None = None
    """A date (its first moment in UTC) or a time with its zone; empty for never."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not (self.namespaces or self.images or self.service_accounts):
            raise ValueError("expected namespaces, images or serviceAccounts")
        return self

    def exemption(self) -> Exemption:
        """The core's view."""
        ends = self.expires
        if ends is not None and not isinstance(ends, datetime):
            ends = datetime(ends.year, ends.month, ends.day, tzinfo=UTC)
        return Exemption(
            owner=self.owner,
            reason=self.reason,
            namespaces=self.namespaces,
            images=self.images,
            service_accounts=self.service_accounts,
            expires=ends,
        )


def _label_key(key: str) -> str:
    if not selector.is_label_key(key):
        raise ValueError("expected the key of a label")
    return key


_LabelKey = Annotated[str, AfterValidator(_label_key)]


class PolicySettings(Section):
    """What becomes of a Pod; see `app.admission.policy.Policy` for each row."""

    mode: Mode = Mode.ENFORCE
    """Of namespaces without a label of their own."""
    namespace_modes: LabelledModes = LabelledModes.ANY
    """Modes that a Namespace may choose by its label `imagecompat.dev/mode`."""
    pod_modes: LabelledModes = LabelledModes.OFF
    """Modes that a Pod may choose by its annotation of that name."""
    on_no_candidates: ActionField = Action.WARN
    """The scheduler's filters leave no node to the Pod."""
    on_unknown: ActionField = Action.WARN
    """No candidate fits, and of some nothing is known."""
    on_missing: ActionField = Action.ALLOW
    """An image carries no compatibility artifact."""
    on_unavailable: ActionField = Action.WARN
    """An image's registry could not answer."""
    on_unauthorized: ActionField = Action.ALLOW
    """No credential of ours is accepted."""
    on_image_not_found: ActionField = Action.WARN
    """The registry knows no such image."""
    on_invalid: ActionField = Action.WARN
    """An artifact or its spec is broken, or too costly."""
    on_error: ActionField = Action.WARN
    """An error of ours."""
    on_overload: ActionField = Action.ALLOW
    """More reviews at once than `server.maxReviews`."""
    on_stale: ActionField = Action.WARN
    """The most for nodes unfit or unknown while our view of the cluster is stale."""
    on_scalable: ActionField = Action.WARN
    """The most for nodes unfit or unknown where nodes may appear."""
    daemon_sets: ActionField = Action.WARN
    """The most for nodes unfit or unknown for Pods of DaemonSets."""
    stale_after_seconds: float = Field(default=120.0, gt=0)
    """Silence of the API server that makes our view stale."""
    nodes_may_appear: NodesMayAppear = NodesMayAppear.AUTO
    """Whether an autoscaler may add nodes; `auto` looks for `poolLabels`."""
    pool_labels: tuple[_LabelKey, ...] = POOL_LABELS
    """Node labels of managed or autoscaled pools."""
    tags: tuple[str, ...] = ()
    """Only compatibility sets with one of these tags count; empty for all."""
    unpublished_features: UnpublishedFeatures = UnpublishedFeatures.UNKNOWN
    """What a rule amounts to whose feature no node publishes; `no`: it is absent."""
    messages: Detail = Detail.FULL
    """`counts` names no node and no feature value."""
    exemptions: tuple[ExemptionSettings, ...] = ()
    """What is left alone, by whom and until when."""
    annotate: bool = True
    """Whether the mutating webhook writes what was found onto Pods."""

    @field_validator("mode", "namespace_modes", "pod_modes", mode="before")
    @classmethod
    def _mode_word(cls, value: object) -> object:
        """YAML reads a bare `off` as false."""
        return "off" if value is False else value

    @field_validator("nodes_may_appear", "unpublished_features", mode="before")
    @classmethod
    def _yes_or_no(cls, value: object) -> object:
        """YAML reads a bare `yes` and `no` as booleans."""
        return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value

    def policy(self) -> Policy:
        """The core's view of these settings."""
        shared = {name: getattr(self, name) for name in Policy.__dataclass_fields__}
        return Policy(**shared)


class Settings(BaseSettings):
    """All settings of one process."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        env_prefix="IMAGECOMPAT_",
        env_nested_delimiter="__",
    )

    server: ServerSettings = ServerSettings()
    certificates: CertificateSettings = CertificateSettings()
    cluster: ClusterSettings = ClusterSettings()
    registry: RegistrySettings = RegistrySettings()
    policy: PolicySettings = PolicySettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file; nothing else is read."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings
