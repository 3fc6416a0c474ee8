r"""Patterns for comparing RE2 as we use it with Go's regexp package.

    python tests/conformance/regexp_patterns.py |
        (cd tests/tools/go/regexp && go run .) |
        gzip -9n > tests/conformance/cases/go-regexp.jsonl.gz

Prints one JSON line `{"pattern", "inputs"}` for each: every construct of RE2's
syntax, each with every repeat, and seeded combinations of them.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator

LITERALS = r"a b k s . ^ $ é ſ K 世 😀 \x41 \x{41} \x{10FFFF} \012 \a \f \n \r \t \v"
ESCAPES = r"""\d \D \w \W \s \S \b \B \A \z \Z \h \R \X \C \G \K \N \i \e \cA \0 \01
    \0123 \1 \12 \123 \777 \8 \18 \_ \- \" \< \/ \@ \é \u0041 \x4 \x{} \xg
    \x{110000} \x{0000000041} \Qa.b\E \Q \E \Qab \Q\E"""
CLASSES = r"""[a-z] [^a-z] []a] [^]a] [a [z-a] [a-] [-a] [a-b-c] [] [^] [[] [[:word:]]
    [[:^word:]] [[:alpha:]] [[:^ascii:]] [[:foo:]] [[:alpha:]-z] [[=a=]] [[.a.]]
    [:word:] [a[:digit:]b] [\d] [\d-z] [a-\d] [\pL] [^\pL] [\PL] [\Q]\E] [\b] [\C]
    [\A] [é-ü] [\x00-\x{10FFFF}] [^\x00-\x{10FFFF}] [\p{Lu}\pN] [^\W] [\W\d]"""
NAMES = r"""\pL \PL \pN \pZ \pM \pS \pP \pX \p \p{} \p{L \p{Greek} \p{^Greek} \P{^Greek}
    \p{L} \p{Lu} \p{Zs} \p{Nd} \p{Cs} \p{Co} \p{Han} \p{Latin} \p{Common} \p{Any}
    \p{Nko} \p{Old_Italic} \p{Phags_Pa} \p{SignWriting} \p{Garay} \p{Unknown}
    \p{Grek} \p{Script=Greek}"""
GROUPS = r"""(a) (?:a) (?P<n>a) (?<n>a) (?P<n>b) (?P<é>a) (?<é>a) (?<>a) (?P<1>a)
    (?P=n) (?P>n) (?P<n (?<n (?=a) (?!a) (?<=a) (?<!a) (?>a) (?#c) (?i) (?i:a)
    (?i-s:a) (?-i) (?i-) (?) (?:) (?-) (?--i) (?ii) (?i-i) (?U) (?U:a+) (?s) (?m)
    (?ms) (?x) (?u) (?^) (?i (? ( () ) | (|a) (a|) (a||b) (?s:.) (?m:^b$)"""
FOLDS = r"""(?i)[a-z] (?i:[k]) (?i:[^k]) (?i:ſ) (?i:[^ſ]) (?i:[K]) (?i:\x{212a}) (?i:ǅ)
    (?i:ß) (?i:ΣΑΣ) (?i:İ) (?i:\p{Lu}) (?i:\P{Lu}) (?i:[^\p{Lu}]) (?i:\p{^Lu})
    (?i:\pL) (?i)\PL"""
REPEATS = r"""* + ? {2} {2,} {2,3} {,3} {3,2} {1000} {1001} {0} {0,0} { } {a} {1 {1,
    {01} {1}{2} {00000001} {100000000} {1000000000} {1,10000000000} ** *+ +? ?? *??
    a** a{2}* a{2}{3} (a{2}){3} (a{100}){11} (a{10}){100} (a{10}){101} (^)* ($)+
    (\b)* ^* $* \b+ (|)* (a*)* (a*)+ (a?)*? a{2}?"""

ATOMS = [
    atom
    for group in (LITERALS, ESCAPES, CLASSES, NAMES, GROUPS, FOLDS, REPEATS)
    for atom in group.split()
]
SUFFIXES = ["", "*", "+", "?", "{2}", "{2,3}?", "|b"]
COMBINATIONS = 900
MOST_ATOMS = 4

INPUTS = """a b ab aab k K K s ſ S A Z 0 7 _ é É ü σ ς Σ α Ω 世界 😀 ß ẞ i İ ı I ǅ ǆ
    AVX512F 5.15.0-1034-aws aaaa bbb aé {2} a{,3} a{a} n * ٣ - ] [ : ?""".split()  # noqa: SIM905 - a table of words
INPUTS += ["", " ", "\n", "a\nb", "\0", "\a", "\\", '"', "\u2028", "\u0378"]
INPUTS += ["\ufffd", "\u0300", "\u00a0", "\U00010d50", "x" * 300, "a" * 1001]


def patterns(seed: int = 1) -> Iterator[str]:
    """Each pattern once."""
    chance = random.Random(seed)
    every = [atom + suffix for suffix in SUFFIXES for atom in ATOMS]
    every += (
        "".join(chance.choices(ATOMS, k=chance.randint(2, MOST_ATOMS)))
        for _ in range(COMBINATIONS)
    )
    for pattern in dict.fromkeys(["", *every]):
        # Too large for RE2: `test_regexp.py` has these among what is refused.
        if "{1000}" not in pattern or r"\p" not in pattern.lower():
            yield pattern


def main() -> None:
    """Prints the questions for the Go program."""
    for pattern in patterns():
        question = {"pattern": pattern, "inputs": INPUTS}
        sys.stdout.write(json.dumps(question, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
