"""What generated cases are made of: names, values, patterns.

The plain ones are those of real nodes; the odd ones lie at the edges of what an
operator reads.
"""

from __future__ import annotations

from typing import Final

EQUALITY: Final = ("In", "NotIn")
ORDER: Final = ("Gt", "Ge", "Lt", "Le")
INTERVAL: Final = ("GtLt", "GeLe")
BOOLEAN: Final = ("IsTrue", "IsFalse")
PRESENCE: Final = ("Exists", "DoesNotExist", "")
OPERATORS: Final = (*EQUALITY, "InRegexp", *ORDER, *INTERVAL, *BOOLEAN, *PRESENCE)
KINDS: Final = ("flag", "attribute", "instance", "name")

FLAGS = ("cpu.cpuid", "kernel.loadedmodule")
ATTRIBUTES = ("kernel.config", "kernel.version", "system.osrelease", "a.b.c")
INSTANCES = ("pci.device", "usb.device")
MIXED = ("vendor.io.gpu", "dom.feat")
MATCHED = "rule.matched"
ODD_FEATURES = (MATCHED, "Upper.case", "a.", ".b", "x.Y")
MISSING = ("memory.numa", "no.such", "rule.matched")

NAMES = ("k1", "k2", "AVX", "AVX2", "vendor", "device", "class", "id", "Name", "Value")
ODD_NAMES = ("", "1", "true", "x/y", "key with space", "a.b", "ü", "K1", "-1", "1.2")
NUMBERS = ("0", "1", "5", "10", "255", "4096", "-1", "+1", "007", "-0")
ODD_NUMBERS = (
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "1_000"),
    *(" 5", "5 ", "5\n", "0x10", "1e3", "1.0", "", "٥", "+-1", "--1", "+", "NaN", "½"),
)
VERSIONS = ("1.2.3", "v1.2", "5.15.0", "5.15.0-1034-aws", "6", "01.02", "1.2.3+meta")
ODD_VERSIONS = (
    *("5.14.0-362.8.1.el9_3.x86_64", "1.2.3-01", "1.2.3-0a", "V1", "1.2.3.4", "1.2\n"),
    *("1.", ".1", "", "v", "1.2.3-", "1.2.3-a..b", "18446744073709551615.0.1", "1.2 "),
    *("18446744073709551616", "1" * 257, "1.2.3+", "1.2.3+é", "1.x", "-1.2", "+1"),
)
WORDS = ("y", "m", "true", "false", "8086", "10de", "0300", "ubuntu", "22.04", "")
ODD_WORDS = ("True", "TRUE", "no", "é", "K", "a<b>&c", "\u2028", "#x", "a,b", "zz ")
PATTERNS = ("^", "$", "^A", "y|m", "[0-9]+", r"^\d+\.\d+$", "(?i)avx", ".", "8086$")
ODD_PATTERNS = (
    *(
        "(",
        "[",
        "*",
        "a**",
        "a{1001}",
        r"\1",
        "(?=a)",
        "(?P<n>a)",
        "[[:alpha:]]+",
        "x{2",
    ),
    *(r"\p{L}", r"\é", r"\Qa.b\E", r"\z", r"\Z", "[^a]", "a{,2}", "(?s).", "[z-a]", ""),
    *("(?i)k", r"\bAVX\b", r"\x{41}", "(?<n>a)", r"\pN", "(a|b)*?c", r"[\d-x]", r"\C"),
)
TOKENS = (
    *("a", "A", "8", "k", "(", ")", "[", "]", "|", "*", "+", "?", "{2}", "{1,}", "^"),
    *(
        "$",
        ".",
        "-",
        ":",
        r"\d",
        r"\w",
        r"\b",
        r"\B",
        r"\s",
        r"\pL",
        r"\A",
        r"\.",
        "(?i)",
    ),
    *(
        "(?:",
        "[a-z]",
        "[^0-9]",
        "[[:digit:]]",
        "é",
        "\u017f",
        r"\x4b",
        r"\Q",
        r"\E",
        "*?",
    ),
)
RULE_NAMES = ("r", "kernel and cpu", "", "x<y>&z", "Règle", "\u2028", 'a"b\\c')
