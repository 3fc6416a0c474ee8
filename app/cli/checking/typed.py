"""What was typed: workloads, specs that are given for images, and settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from app.checker import Options
from app.checker.gathering import DEFAULT_PLATFORM
from app.cli.checking import files, manifests
from app.cli.checking.images import canonical
from app.cli.checking.manifests import Found, Manifest
from app.cli.checking.options import What
from app.cli.nodes import finding
from app.cli.nodes.known import KnownNodes
from app.cli.nodes.options import NodesFrom
from app.cli.output import located, read_input
from app.cli.reports.formats import ReportFormat
from app.cli.specs import names
from app.cli.specs.options import Reach
from app.compat import parse
from app.errors import ConfigError, SpecError
from app.scheduling import podspec
from app.scheduling.kinds import POD
from app.scheduling.node import platform_of
from app.scheduling.podspec import PodSpec

if TYPE_CHECKING:
    from app.settings.sections import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was typed.

    Attributes:
        objects: of the cluster.
        what: manifests, images, other nodes.
        output: how the result is printed.
        every_node: a line for each node.
        nodes: on which.
        reach: how registries are reached.
    """

    objects: tuple[str, ...] = ()
    what: What = field(default_factory=What)
    output: ReportFormat = ReportFormat.TABLE
    every_node: bool = False
    nodes: NodesFrom = field(default_factory=NodesFrom)
    reach: Reach = field(default_factory=Reach)

    @property
    def is_live(self) -> bool:
        """Whether objects of a cluster are asked for."""
        return bool(self.objects) or self.what.every or self.what.everywhere

    @property
    def is_of_cluster(self) -> bool:
        """Whether a cluster is asked at all."""
        return self.is_live or not finding.is_here(self.nodes)


@dataclass(frozen=True, slots=True)
class Given:
    """Specs that nobody needs to be asked for.

    Attributes:
        specs: image -> the bytes of its spec.
        alone: the image, or the spec's file, that is judged by itself.
        files: that were named.
    """

    specs: Mapping[str, bytes]
    alone: str | None
    files: tuple[str, ...]

    @property
    def is_spec_alone(self) -> bool:
        """Whether a spec is judged by itself, whatever platform it would be for."""
        return self.alone is not None and bool(self.specs)

    @classmethod
    def read(cls, wanted: Wanted) -> Given:
        """Reads `--image` and `--spec`.

        Raises:
            ConfigError: they do not go together, a file cannot be read, or an image
                is no reference.
            SpecError: a file is no spec; the message says where.
        """
        pairs = [_pair(text) for text in (wanted.what.spec or ())]
        alone = [file for image, file in pairs if not image]
        images = [*filter(None, [wanted.what.image, *(image for image, _ in pairs)])]
        has_workloads = bool(wanted.what.manifests or ()) or wanted.is_live
        is_alone = wanted.what.image is not None or bool(alone)
        if is_alone and has_workloads:
            text = "--image or --spec FILE judges by itself: no -f and no objects"
            raise ConfigError("InvalidOptions", f"{text}; or --spec IMAGE=FILE")
        if len(alone) > 1 or (alone and len(pairs) > 1):
            raise ConfigError("InvalidOptions", "--spec FILE: only one can be given")
        if not is_alone and not has_workloads:
            text = "nothing to check: expected -f FILE, TYPE/NAME, --all or --image"
            raise ConfigError("InvalidOptions", text)
        name = wanted.what.image
        if alone:
            name = name or ("<stdin>" if alone[0] == files.STDIN else alone[0])
            pairs = [(name, alone[0])]
        names.named(images)
        specs = {image: _spec(file) for image, file in pairs}
        return cls(specs, name if is_alone else None, tuple(f for _, f in pairs))


def _pair(text: str) -> tuple[str, str]:
    """Image and file of `IMAGE=FILE`; no image for `FILE`."""
    image, equals, file = text.partition("=")
    if equals and not (image and file):
        raise ConfigError("InvalidOptions", f"--spec {text}: expected IMAGE=FILE")
    return (image, file) if equals else ("", text)


def _spec(file: str) -> bytes:
    content = read_input(file)
    try:
        parse.read_for_admission(content)
    except SpecError as error:
        raise SpecError(error.reason, located(error, file)) from error
    return content


def require_once(wanted: Wanted, given: Given) -> None:
    """Raises `ConfigError` if standard input is wanted more than once."""
    reach = wanted.reach
    named = (
        *(wanted.what.manifests or ()),
        *given.files,
        *(wanted.nodes.files or ()),
        *(wanted.what.what_if or ()),
    )
    secrets = (reach.registry_password_stdin, reach.registry_token_stdin)
    if named.count(files.STDIN) + sum(secrets) > 1:
        raise ConfigError("InputTwice", "standard input can be read only once")


def workloads(wanted: Wanted) -> Found:
    """What the manifests hold.

    Raises:
        ConfigError: one is broken.
    """
    found = Found()
    for file in files.read(
        (wanted.what.manifests or ()), recursive=wanted.what.recursive
    ):
        manifests.read(file, found)
    manifests.require_readable(found)
    return found


def settings(reach: Reach) -> Settings | None:
    """The webhook's settings; `None` for its defaults."""
    if reach.settings is None:
        return None
    from app.settings.loading import Refused, judge, read_file  # noqa: PLC0415 - slow

    content = read_file(reach.settings)
    said = (
        content if isinstance(content, Refused) else judge(content, str(reach.settings))
    )
    if isinstance(said, Refused):
        raise ConfigError("InvalidSettings", "\n".join(said.lines))
    return said.settings


def options(wanted: Wanted, settings: Settings | None) -> Options:
    """What the webhook's admin decides; `--tags` instead of the settings' tags."""
    chosen = Options()
    if settings is not None:
        from app.bootstrap import options as wired  # noqa: PLC0415 - slow

        chosen = wired.options(settings)
    tags = tuple(tag for one in wanted.what.tags or () for tag in one.split(","))
    return replace(chosen, tags=tags) if tags else chosen


def nodes_from(nodes: NodesFrom, settings: Settings | None) -> NodesFrom:
    """NodeFeatures, of files too, count where the webhook's settings say."""
    if settings is None or nodes.nfd_namespaces or nodes.root is not None:
        return nodes
    return replace(nodes, nfd_namespaces=list(settings.cluster.trusted_namespaces))


def standing_for(image: str) -> Manifest:
    """A Pod that runs an image and goes anywhere."""
    spec = {
        "tolerations": [{"operator": "Exists"}],
        "containers": [{"name": "image", "image": image}],
    }
    return Manifest(POD, "", image, "", {"metadata": {"name": "image"}, "spec": spec})


_PLATFORM: Final = frozenset({"kubernetes.io/os", "kubernetes.io/arch"})


def holds_everywhere(given: Given, manifests: Iterable[Manifest]) -> bool:
    """Whether a node's platform changes nothing, so that it need not be known.

    Every image has a spec that was given by hand, which is one for every platform, and
    no workload asks for nodes of a platform.
    """
    if not given.specs:
        return False
    specs = set(map(canonical, given.specs))
    pods = [podspec.of(one.kind, one.object) for one in manifests]
    images = {canonical(use.image) for pod in pods for use in pod.images}
    return images <= specs and not any(map(_asks_platform, pods))


def _asks_platform(pod: PodSpec) -> bool:
    placement = pod.placement
    keys = {key for key, _ in placement.node_selector}
    keys |= {
        requirement.key
        for term in placement.required_terms or ()
        for requirement in term.match_expressions
    }
    return bool(placement.os or keys & _PLATFORM)


def placed(known: KnownNodes) -> KnownNodes:
    """The nodes, each with a platform; see `holds_everywhere`.

    Features in files need not say what a node is, and no rule can see it.
    """
    system, architecture = DEFAULT_PLATFORM[:2]
    labels = {"kubernetes.io/os": system, "kubernetes.io/arch": architecture}
    nodes = {
        name: node
        if platform_of(node) is not None
        else replace(node, labels={**node.labels, **labels})
        for name, node in known.snapshot.nodes.items()
    }
    return replace(known, snapshot=replace(known.snapshot, nodes=nodes))
