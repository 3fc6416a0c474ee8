from pathlib import Path

import pytest

from app.cli.checking import context

CONFIG = """\
current-context: one
contexts:
- {name: one, context: {cluster: c, namespace: ml}}
- {name: two, context: {cluster: c}}
- {name: three, context: {cluster: c, namespace: lab}}
"""


def namespace(tmp_path: Path, text: str, name: str | None = None) -> str | None:
    path = tmp_path / "config"
    path.write_text(text)
    return context.namespace(path, name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [(None, "ml"), ("two", None), ("three", "lab"), ("none", None)],
)
def test_a_context_has_a_namespace(
    tmp_path: Path, name: str | None, expected: str | None
) -> None:
    assert expected == namespace(tmp_path, CONFIG, name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        "- x",
        "contexts: 3",
        "current-context: x\ncontexts: [x]",
        "current-context: x\ncontexts: [{name: x, context: 3}]",
        "current-context: x\ncontexts: [{name: x, context: {namespace: 3}}]",
        "current-context: x\ncontexts: [{name: x, context: {namespace: ''}}]",
    ],
)
def test_a_file_of_another_shape_has_none(tmp_path: Path, text: str) -> None:
    assert namespace(tmp_path, text) is None


def test_no_file_has_none(tmp_path: Path) -> None:
    assert context.namespace(None, None) is None
    assert context.namespace(tmp_path / "none", None) is None
