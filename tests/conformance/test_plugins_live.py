"""Credential provider plugins, as the kubelet's own code runs them.

The same file and the same programs are given to the kubelet's package and to ours:
what they offer for an image, in which order, and what the programs were asked.
"""

import copy
import json
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.errors import ConfigError
from app.oci.credentials.plugin_config import read_plugins
from app.oci.credentials.plugins import Plugins
from app.oci.credentials.programs import Programs
from app.oci.images import reference
from tests.tools.build import ToolError
from tests.tools.build import find as find_tool

PROTOCOL = "credentialprovider.kubelet.k8s.io/"
IMAGES = (
    "r.example/org/app:1",
    "r.example/org/app@sha256:" + "0" * 64,
    "r.example/organ/x",
    "r.example:5000/org/app",
    "a.r.example/org/app",
    "111.dkr.ecr.eu-west-1.amazonaws.com/team/app:1",
    "nginx",
    "docker.io/library/nginx:1.27",
    "index.docker.io/library/nginx",
    "localhost/x",
    "localhost:5000/x",
)


@pytest.fixture(scope="module")
def oracle() -> Path:
    try:
        return find_tool("plugins-oracle")
    except ToolError as error:
        pytest.skip(f"no plugins oracle: {error}")


@dataclass
class Files:
    """A configuration and its programs, for one that runs them.

    Attributes:
        folder: of all of it.
        content: of the file.
    """

    folder: Path
    content: bytes = b""
    answers: dict[str, object] = field(default_factory=dict)

    def write(self) -> None:
        """Programs that log what they read, and answer as they should."""
        (self.folder / "bin").mkdir(parents=True)
        self.config.write_bytes(self.content)
        for name, answer in self.answers.items():
            said = self.folder / f"{name}.answer"
            text = answer if isinstance(answer, str) else json.dumps(answer)
            said.write_text(text)
            log = self.folder / "log"
            script = f'#!/bin/sh\n{{ echo "$0 $*" | sed "s,.*/,,"; cat; }} >> {log}\n'
            script += f"cat {said}\n" if answer else "exit 1\n"
            path = self.folder / "bin" / name
            path.write_text(script)
            path.chmod(0o755)

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def asked(self) -> list[str]:
        log = self.folder / "log"
        return sorted(log.read_text().splitlines()) if log.exists() else []


Offers = list[list[tuple[str, str]]]


def kubelet(oracle: Path, files: Files) -> Offers | None:
    """What the kubelet tries for each image; `None` if it refuses the file."""
    asked = {
        "config": str(files.config),
        "folder": str(files.folder / "bin"),
        "images": IMAGES,
    }
    done = subprocess.run(
        [oracle],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    answer = json.loads(done.stdout)
    if answer.get("error"):
        return None
    return [
        list(dict.fromkeys((user, password) for user, password in one["credentials"]))
        for one in answer["found"]
    ]


async def ours(files: Files) -> Offers | None:
    try:
        plugins = read_plugins(files.config.read_bytes())
    except ConfigError:
        return None
    programs = Programs(files.folder / "bin", {}, seconds=60, most_bytes=1 << 20)
    one = Plugins(plugins, programs)
    found = [await one.lookup(reference.parse(image)) for image in IMAGES]
    return [[(each.username, each.password) for each in ring] for ring in found]


async def both(
    oracle: Path,
    folder: Path,
    content: bytes,
    answers: dict[str, object],
    *,
    fails: bool = False,
) -> tuple[Offers | None, Offers | None]:
    """What the kubelet does, and what we do.

    Programs must have been asked alike; those that fail, by us perhaps less often.
    """
    theirs = Files(folder / "kubelet", content, answers)
    own = Files(folder / "own", content, answers)
    for files in (theirs, own):
        files.write()
    found = kubelet(oracle, theirs), await ours(own)
    if None not in found:
        again = Counter(theirs.asked) - Counter(own.asked)
        assert not Counter(own.asked) - Counter(theirs.asked)
        assert fails or not again
    return found


def provider(name: str, *match: str, **more: object) -> dict[str, Any]:
    return {
        "name": name,
        "matchImages": list(match),
        "defaultCacheDuration": "1m",
        "apiVersion": PROTOCOL + "v1",
        **more,
    }


def config(*providers: dict[str, Any], **more: object) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1",
        "kind": "CredentialProviderConfig",
        "providers": list(providers),
        **more,
    }


def said(*keys: str, user: str = "u", kind: str = "Image", **more: object) -> object:
    return {
        "kind": "CredentialProviderResponse",
        "apiVersion": PROTOCOL + "v1",
        "cacheKeyType": kind,
        "auth": {key: {"username": user, "password": key} for key in keys},
        **more,
    }


# Offers ------------------------------------------------------------------------------

ALL = ("r.example", "r.example/org", "*.example", "*.r.example", "r.example:5000")
HUB = ("docker.io", "index.docker.io", "localhost", "localhost:5000")


@pytest.mark.parametrize(
    ("providers", "answers"),
    [
        pytest.param([provider("one", *ALL)], {"one": said(*ALL)}, id="several-keys"),
        pytest.param(
            [provider("b", *ALL), provider("a", *ALL)],
            {"a": said(*ALL, user="a"), "b": said(*ALL, user="b")},
            id="two-plugins",
        ),
        pytest.param(
            [provider("one", "r.example/org")],
            {"one": said("r.example")},
            id="path-in-match",
        ),
        pytest.param(
            [provider("one", "r.example/v1/org"), provider("two", "r.example/")],
            {
                "one": said(*ALL),
                "two": said("https://r.example/v1/", "r.example/v2/org"),
            },
            id="paths-and-schemes",
        ),
        pytest.param(
            [provider("ecr", "*.dkr.ecr.*.amazonaws.com", args=["get-credentials"])],
            {"ecr": said("111.dkr.ecr.eu-west-1.amazonaws.com", user="AWS")},
            id="ecr",
        ),
        pytest.param([provider("one", *HUB)], {"one": said(*HUB)}, id="docker-hub"),
        pytest.param(
            [provider("one", "docker.io")],
            {"one": said("index.docker.io")},
            id="docker-hub-by-its-old-name",
        ),
        pytest.param(
            [provider("one", "r.example", "*")],
            {"one": said("r.example", kind="Registry")},
            id="registry",
        ),
        pytest.param(
            [provider("one", *ALL, *HUB)],
            {"one": said(*ALL, *HUB, kind="Global")},
            id="global",
        ),
        pytest.param(
            [provider("one", *ALL)],
            {"one": said(*ALL, cacheDuration="0s")},
            id="not-remembered",
        ),
        pytest.param(
            [provider("one", *ALL, defaultCacheDuration="0s")],
            {"one": said(*ALL)},
            id="not-remembered-by-default",
        ),
        pytest.param(
            [provider("one", *ALL)],
            {"one": said(*ALL, cacheDuration="1h", kind="Registry")},
            id="remembered",
        ),
        pytest.param([provider("one", *ALL)], {"one": said(auth=None)}, id="null-auth"),
        pytest.param(
            [provider("one", "r.example/org/app"), provider("two", "r.example")],
            {"one": "", "two": said("r.example", kind="Registry")},
            id="one-that-fails",
        ),
        pytest.param(
            [provider("one", "r.example", "r.example", "r.ex*mple", "*.r.ex*")],
            {"one": said("r.e*", "*.r.ex*e", "r.exampl?", "r.[a-z]*")},
            id="globs",
        ),
    ],
)
async def test_plugins_offer_what_they_offer_the_kubelet(
    oracle: Path,
    tmp_path: Path,
    providers: list[dict[str, Any]],
    answers: dict[str, object],
) -> None:
    content = json.dumps(config(*providers)).encode()
    fails = "" in answers.values()
    theirs, own = await both(oracle, tmp_path, content, answers, fails=fails)
    assert theirs is not None
    assert [[pair for pair in one if any(pair)] for one in theirs] == own


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("", id="fails"),
        pytest.param("<html>", id="no-json"),
        pytest.param(said(*ALL, kind="Repository"), id="cache-key-type"),
        pytest.param(said(*ALL, apiVersion=PROTOCOL + "v1beta1"), id="version"),
        pytest.param(said(*ALL, apiVersion="x"), id="no-version"),
        pytest.param(said(*ALL, unknown=1), id="unknown-field"),
        pytest.param(said(*ALL, cacheDuration="soon"), id="no-duration"),
        pytest.param(said(*ALL, cacheDuration=60), id="number-as-duration"),
        pytest.param(said(auth={"r.example": {"user": "x"}}), id="unknown-in-auth"),
        pytest.param(said(auth={"r.example": "x"}), id="auth-as-text"),
        pytest.param(said(auth=[]), id="auth-as-list"),
        pytest.param(said(*ALL, kind_="x"), id="another-unknown-field"),
        pytest.param({"auth": {}}, id="bare"),
    ],
)
async def test_an_answer_that_is_none_to_the_kubelet_offers_nothing(
    oracle: Path, tmp_path: Path, answer: object
) -> None:
    content = json.dumps(config(provider("one", "r.example"))).encode()
    theirs, own = await both(oracle, tmp_path, content, {"one": answer}, fails=True)
    assert [[]] * len(IMAGES) == theirs == own


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
async def test_all_versions_are_spoken_alike(
    oracle: Path, tmp_path: Path, version: str
) -> None:
    spoken = PROTOCOL + version
    content = config(provider("one", *ALL, apiVersion=spoken))
    content["apiVersion"] = f"kubelet.config.k8s.io/{version}"
    answers: dict[str, object] = {"one": said(*ALL, apiVersion=spoken)}
    theirs, own = await both(oracle, tmp_path, json.dumps(content).encode(), answers)
    assert theirs == own
    assert any(own or ())


# The file ----------------------------------------------------------------------------

WHOLE = config(provider("one", "r.example", args=["a"], env=[{"name": "A"}]))


def _of_provider(**fields: object) -> Callable[[dict[str, Any]], object]:
    def _change(content: dict[str, Any]) -> None:
        one = content["providers"][0]
        for key, value in fields.items():
            one[key] = value
            if value is ...:
                del one[key]

    return _change


def _of_file(**fields: object) -> Callable[[dict[str, Any]], object]:
    def _change(content: dict[str, Any]) -> None:
        content.update(fields)
        for key in [key for key, value in fields.items() if value is ...]:
            del content[key]

    return _change


CHANGES = {
    "none": _of_file(),
    "no-version": _of_file(apiVersion=...),
    "another-version": _of_file(apiVersion="kubelet.config.k8s.io/v2"),
    "no-kind": _of_file(kind=...),
    "another-kind": _of_file(kind="KubeletConfiguration"),
    "no-providers": _of_file(providers=...),
    "null-providers": _of_file(providers=None),
    "empty-providers": _of_file(providers=[]),
    "mapping-of-providers": _of_file(providers={}),
    "text-as-provider": _of_file(providers=["one"]),
    "unknown-key": _of_file(other=1),
    "two-of-one-name": _of_file(providers=WHOLE["providers"] * 2),
    "no-name": _of_provider(name=...),
    "name-with-a-slash": _of_provider(name="a/b"),
    "name-with-a-blank": _of_provider(name="a b"),
    "name-that-goes-up": _of_provider(name=".."),
    "name-that-stays": _of_provider(name="."),
    "number-as-name": _of_provider(name=1),
    "no-match": _of_provider(matchImages=...),
    "empty-match": _of_provider(matchImages=[]),
    "null-match": _of_provider(matchImages=None),
    "text-as-match": _of_provider(matchImages="r.example"),
    "number-in-match": _of_provider(matchImages=[1]),
    "no-host-in-match": _of_provider(matchImages=["a b"]),
    "bracket-in-match": _of_provider(matchImages=["[.example"]),
    "class-in-match": _of_provider(matchImages=["r.exampl[a-f]"]),
    "query-in-match": _of_provider(matchImages=["r.exampl?"]),
    "port-in-match": _of_provider(matchImages=["r.example:x"]),
    "escape-in-match": _of_provider(matchImages=["r.example/%zz"]),
    "user-in-match": _of_provider(matchImages=["u:p@r.example"]),
    "empty-text-in-match": _of_provider(matchImages=[""]),
    "no-duration": _of_provider(defaultCacheDuration=...),
    "null-duration": _of_provider(defaultCacheDuration=None),
    "number-as-duration": _of_provider(defaultCacheDuration=60),
    "text-as-duration": _of_provider(defaultCacheDuration="soon"),
    "empty-duration": _of_provider(defaultCacheDuration=""),
    "days": _of_provider(defaultCacheDuration="1d"),
    "below-nought": _of_provider(defaultCacheDuration="-1s"),
    "nought": _of_provider(defaultCacheDuration="0"),
    "parts": _of_provider(defaultCacheDuration="1h1.5m.5s"),
    "too-long": _of_provider(defaultCacheDuration="9223372037s"),
    "no-protocol": _of_provider(apiVersion=...),
    "another-protocol": _of_provider(apiVersion="v1"),
    "null-args": _of_provider(args=None),
    "text-as-args": _of_provider(args="a"),
    "number-in-args": _of_provider(args=[1]),
    "null-env": _of_provider(env=None),
    "text-in-env": _of_provider(env=["A=b"]),
    "number-as-value": _of_provider(env=[{"name": "A", "value": 1}]),
    "unknown-in-env": _of_provider(env=[{"name": "A", "valueFrom": {}}]),
    "unknown-in-provider": _of_provider(matchImage=[]),
    "null-token-attributes": _of_provider(tokenAttributes=None),
}
STRICTER = {
    "name-beyond-ascii": _of_provider(name="ä"),
    "scheme": _of_provider(matchImages=["https://r.example"]),
    "env-without-a-name": _of_provider(env=[{"value": "x"}]),
    "token-attributes": _of_provider(
        tokenAttributes={
            "serviceAccountTokenAudience": "x",
            "cacheType": "Token",
            "requireServiceAccount": True,
        }
    ),
}
"""What the kubelet takes, and we refuse: it could never work, or not here."""


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    content = copy.deepcopy(WHOLE)
    change(content)
    return json.dumps(content).encode()


@pytest.mark.parametrize("name", CHANGES)
async def test_a_file_is_taken_where_the_kubelet_takes_it(
    oracle: Path, tmp_path: Path, name: str
) -> None:
    content = changed(CHANGES[name])
    answers: dict[str, object] = {"one": said("r.example")}
    theirs, own = await both(oracle, tmp_path, content, answers)
    assert theirs == own


@pytest.mark.parametrize("name", STRICTER)
async def test_where_we_are_stricter(oracle: Path, tmp_path: Path, name: str) -> None:
    content = changed(STRICTER[name])
    answers: dict[str, object] = {"one": said("r.example"), "ä": said("r.example")}
    theirs, own = await both(oracle, tmp_path, content, answers)
    assert theirs is not None
    assert own is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("[]", id="list"),
        pytest.param("a: [", id="no-yaml"),
        pytest.param("kind: CredentialProviderConfig", id="kind-alone"),
        pytest.param(
            json.dumps(WHOLE)[:-1] + ', "kind": "CredentialProviderConfig"}',
            id="a-key-twice",
        ),
    ],
)
async def test_what_is_no_such_file_is_refused_by_both(
    oracle: Path, tmp_path: Path, text: str
) -> None:
    theirs, own = await both(oracle, tmp_path, text.encode(), {})
    assert theirs is None
    assert own is None
