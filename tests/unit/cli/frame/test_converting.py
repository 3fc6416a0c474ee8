"""What was typed becomes an argument without pydantic, or says what is expected."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.main import get_command

from app.cli.frame import converting
from app.cli.frame.helping import Page


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class One(Enum):
    ONLY = "only"


def called(kind: Any, *words: str, **options: Any) -> Any:
    """What a command gets for its one option `--x`."""
    got = []

    def command(x: Any = None) -> None:
        got.append(x)

    command.__annotations__["x"] = Annotated[kind, typer.Option(**options)]
    app = typer.Typer(add_completion=False)
    app.command("c", cls=Page)(command)
    made = get_command(app)
    with made.make_context("c", list(words)) as context:
        assert all(
            "get_runtime_param" in one.__dict__ for one in made.get_params(context)
        )
        made.invoke(context)
    return got[0]


@pytest.mark.parametrize(
    ("kind", "words", "expected"),
    [
        (str | None, (), None),
        (str, ("--x", ""), ""),
        (Path, ("--x", "a/b"), Path("a/b")),
        (int, ("--x", "-3"), -3),
        (float, ("--x", "1e3"), 1000.0),
        (Colour, ("--x", "blue"), Colour.BLUE),
        (list[str], ("--x", "a", "--x", "b"), ["a", "b"]),
        (list[Colour], ("--x", "red"), [Colour.RED]),
        (bool, ("--x",), True),
        (bool, ("--no-x",), False),
    ],
)
def test_a_value_is_converted(kind: Any, words: tuple[str, ...], expected: Any) -> None:
    assert expected == called(kind, *words)


def test_nothing_given_for_many_is_none() -> None:
    assert called(list[str] | None) is None


@pytest.mark.parametrize(
    ("kind", "given", "options", "expected"),
    [
        (Colour, "green", {}, "expected red or blue, got green"),
        (One, "none", {}, "expected only, got none"),
        (list[Colour], "green", {}, "expected red or blue, got green"),
        (int, "1.5", {}, "expected a whole number, got 1.5"),
        (int, "0", {"min": 1}, "expected a whole number from 1, got 0"),
        (int, "10", {"max": 9}, "expected a whole number to 9, got 10"),
        (float, "nan", {}, "expected a number, got nan"),
        (float, "x", {"min": 0, "max": 1}, "expected a number from 0 to 1, got x"),
    ],
)
def test_what_is_no_value_says_what_is_expected(
    kind: Any, given: str, options: dict[str, Any], expected: str
) -> None:
    with pytest.raises(typer.BadParameter) as raised:
        called(kind, "--x", given, **options)
    assert expected == raised.value.message


@pytest.mark.parametrize("given", ["1", "9"])
def test_a_bound_is_within_its_range(given: str) -> None:
    assert int(given) == called(int, "--x", given, min=1, max=9)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (complex, {}),
        (tuple[int, int], {}),
        (Path, {"exists": True}),
        (int, {"clamp": True}),
        (str, {"parser": str.upper}),
    ],
)
def test_what_is_not_known_here_is_left_to_typer(
    kind: Any, options: dict[str, Any]
) -> None:
    def command(x: Any = None) -> None:
        """Takes it."""

    command.__annotations__["x"] = Annotated[kind, typer.Option(**options)]
    app = typer.Typer(add_completion=False)
    app.command("c", cls=Page)(command)
    (parameter,) = get_command(app).params
    assert converting.of(parameter) is None


def test_something_else_is_left_alone() -> None:
    thing = object()
    assert converting.of(thing) is None
    converting.lighten([thing])


def test_a_hidden_option_stands_in_no_help() -> None:
    def command(x: str = "", y: str = "") -> None:
        """Takes them."""

    command.__annotations__["x"] = Annotated[str, typer.Option(hidden=True)]
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command("c", cls=Page)(command)
    made = get_command(app)
    page = made.get_help(typer.Context(made))
    assert "--y TEXT" in page
    assert "--x" not in page
