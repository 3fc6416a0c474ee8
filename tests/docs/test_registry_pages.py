"""What pages show of registries is what we take.

Two comments before a fenced block make it an example: `<!-- hosts: HOST -->` a
`hosts.toml` in the folder of that registry, `<!-- providers -->` a kubelet's
CredentialProviderConfig.
"""

import json
import re
from pathlib import Path

import pytest

from app.oci import credentials
from app.oci.credentials import plugin_config
from app.oci.images import reference
from app.oci.registry.guard import RegistryPolicy
from app.oci.ways import hosts_toml
from app.oci.ways.ways import Configured, Ways

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
BLOCK = r"\n+```{}\n(.*?)^```$"
HOSTS = re.compile(
    r"<!-- hosts: ([\w.-]+) -->" + BLOCK.format("toml"), re.DOTALL | re.MULTILINE
)
PROVIDERS = re.compile(
    "<!-- providers -->" + BLOCK.format("yaml"), re.DOTALL | re.MULTILINE
)
TOML = re.compile(r"^```toml$", re.MULTILINE)
AUTHS = re.compile(r'^```json\n(\{"auths".*?)^```$', re.DOTALL | re.MULTILINE)


def shown(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Page and text of each block; of several groups the last."""
    return [
        (page.name, found[pattern.groups])
        for page in sorted(DOCS.rglob("*.md"))
        for found in pattern.finditer(page.read_text())
    ]


@pytest.mark.parametrize(
    ("page", "folder", "text"),
    [
        (page.name, *found.groups())
        for page in sorted(DOCS.rglob("*.md"))
        for found in HOSTS.finditer(page.read_text())
    ],
)
def test_mirrors_that_a_page_shows_are_asked(page: str, folder: str, text: str) -> None:
    hosts = hosts_toml.read(text.encode())
    ways = Ways({folder: tuple(Configured(one) for one in hosts)})
    domain = "other.example" if folder == "_default" else folder
    found = ways.of(reference.parse(f"{domain}/org/app:1"), RegistryPolicy())
    assert len(hosts) == len(found)
    assert any(way.host.endswith(".corp.example") for way in found), page


def test_all_toml_of_pages_is_read() -> None:
    for page in DOCS.rglob("*.md"):
        text = page.read_text()
        assert len(TOML.findall(text)) == len(HOSTS.findall(text)), page.name


@pytest.mark.parametrize(("page", "text"), shown(PROVIDERS))
def test_plugins_that_a_page_shows_are_taken(page: str, text: str) -> None:
    (plugin,) = plugin_config.read_plugins(text.encode())
    assert plugin.match, page


@pytest.mark.parametrize(("page", "text"), shown(AUTHS))
def test_docker_configs_that_a_page_shows_are_taken(page: str, text: str) -> None:
    (host,) = json.loads(text)["auths"]
    keyring = credentials.read(text.encode())
    assert keyring.lookup(reference.parse(f"{host}/org/app:1")), page


def test_pages_show_each_of_them() -> None:
    assert {"mirrors.md", "air-gapped.md"} == {page for page, _ in shown(HOSTS)}
    assert {"cloud-identity.md"} == {page for page, _ in shown(PROVIDERS)}
    assert {"private-registries.md", "mirrors.md"} == {page for page, _ in shown(AUTHS)}
