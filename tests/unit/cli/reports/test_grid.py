"""Tables and paragraphs that fit."""

import subprocess
import sys

import pytest

from app.cli.reports.grid import (
    MAX_FIRST,
    MIN_COLUMN,
    MIN_FIRST,
    MIN_NOTES,
    Line,
    Pen,
    Piece,
    Style,
    cut,
    fits,
    paragraph,
    shortened,
    table,
    wrapped,
)

PLAIN = Pen(colour=False)


def line(*texts: str, notes: tuple[str, ...] = ()) -> Line:
    return Line(tuple(map(Piece, texts)), notes)


def printed(header: list[str], *lines: Line, width: int) -> list[str]:
    return list(table(header, lines, "WHY", width=width, pen=PLAIN))


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        pytest.param("", 4, [""], id="nothing is a line"),
        pytest.param("a bc", 4, ["a bc"], id="all of it"),
        pytest.param("a bcd", 4, ["a", "bcd"], id="at a space"),
        pytest.param("abcdefghij k", 4, ["abcd", "efgh", "ij k"], id="a long word"),
        pytest.param("日本語", 4, ["日本", "語"], id="wide characters"),
        pytest.param("日本", 3, ["日", "本"], id="half a character is none"),
        pytest.param("  a   b ", 9, ["a b"], id="spaces are one"),
        pytest.param("e\u0301" * 4, 4, ["e\u0301" * 4], id="accents take no column"),
    ],
)
def test_texts_are_folded(text: str, size: int, expected: list[str]) -> None:
    assert expected == list(wrapped(text, size))


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abc..."),
        ("日本語日", 7, "日本..."),
        ("a\x1bb", 6, "a?b"),
    ],
)
def test_a_text_is_cut_at_its_end(text: str, size: int, expected: str) -> None:
    assert expected == cut(text, size)


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("abcdefghij", 10, "abcdefghij"),
        ("abcdefghijk", 10, "abcd...ijk"),
        ("日本語日本語", 11, "日本...本語"),
        ("日本語日本語", 10, "日本...語"),
        ("\n" * 11, 10, "????...???"),
    ],
)
def test_a_name_is_cut_in_its_middle(text: str, size: int, expected: str) -> None:
    assert expected == shortened(text, size)


def test_a_paragraph_hangs() -> None:
    text = "one two three"
    assert ["one two", "  three"] == list(paragraph(text, width=9, first=""))
    assert ["- one two three"] == list(paragraph(text, width=15, first="- "))
    assert ["- one two", "  three"] == list(paragraph(text, width=14, first="- "))


@pytest.mark.parametrize(
    ("room", "is_column"), [(MIN_NOTES, True), (MIN_NOTES - 1, False)]
)
def test_long_notes_have_a_column_or_stand_beneath(room: int, is_column: bool) -> None:
    note = "x" * (MIN_NOTES + 1)
    found = printed(["NODE"], line("abcd", notes=(note,)), width=4 + 2 + room)
    assert ("NODE  WHY" if is_column else "NODE") == found[0]


def test_short_notes_have_a_column_wherever_they_fit() -> None:
    found = printed(["NODE"], line("abcd", notes=("1234", "5")), width=10)
    assert ["NODE  WHY", "abcd  1234", "      5"] == found
    found = printed(["NODE"], line("abcd", notes=("12345",)), width=10)
    assert ["NODE", "abcd", "  - 12345"] == found


def test_no_notes_no_column() -> None:
    assert ["A  B", "1  2"] == printed(["A", "B"], line("1", "2"), width=80)


def test_the_first_column_gives_way() -> None:
    name = "n" * 30
    header, other = ["NODE", "ALL"], "yes"
    assert fits(header, [line(name, other)], MIN_FIRST + 2 + 3)
    assert not fits(header, [line(name, other)], MIN_FIRST + 2 + 2)
    found = printed(header, line(name, other), width=25)
    assert ["NODE" + " " * 18 + "ALL", "n" * 20 + "  yes", "n" * 10] == found


@pytest.mark.parametrize("width", [61, 40, 4 * MIN_COLUMN + 6])
def test_then_the_widest_column_gives_way(width: int) -> None:
    """Nothing is lost, and no line is wider, as long as columns can be narrowed."""
    texts = ("rule", "want " * 12, "found " * 9, "no")
    found = printed(["RULE", "WANT", "FOUND", "RESULT"], line(*texts), width=width)
    assert max(map(len, found)) <= width
    joined = " ".join(found)
    assert [12, 9, 1] == [joined.count(one) for one in ("want", "found", "no")]


def test_a_table_that_cannot_be_narrowed_is_wide() -> None:
    found = printed(["A", "B"], line("a" * 20, "b" * 20), width=5)
    assert MIN_COLUMN + 2 + MIN_COLUMN == max(map(len, found))


@pytest.mark.parametrize(("size", "count"), [(MAX_FIRST, 2), (MAX_FIRST + 1, 3)])
def test_a_long_name_is_folded_however_wide_it_is(size: int, count: int) -> None:
    assert count == len(printed(["NODE", "ALL"], line("n" * size, "no"), width=200))


def test_a_cell_is_coloured_but_not_its_room() -> None:
    pen = Pen(colour=True)
    row = Line((Piece("no", Style.RED), Piece("x")))
    _, found = table(["FIRST", "B"], [row], "WHY", width=80, pen=pen)
    assert "\x1b[31mno\x1b[0m     x" == found
    assert "" == pen("", Style.RED)
    assert "x" == pen("x", Style.PLAIN)


def test_rich_is_not_imported_for_a_table() -> None:
    """It takes longer to import than `validate-node` may take at all."""
    script = (
        "import sys; from app.cli.reports import printing;"
        " print(any(one.split('.')[0] in ('rich', 'jinja2', 'yaml', 'typer')"
        " for one in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "False\n" == done.stdout
