"""The functions of sprig v3.3.0, as NFD offers them to templates.

Each module holds one theme and its table; `REFUSED` names what is not supported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.compat.template.sprig import (
    cases,
    defaults,
    dicts,
    durations,
    encoding,
    jsons,
    lists,
    numeric,
    paths,
    reflection,
    regex,
    semver,
    strings,
    urls,
)
from app.compat.template.values import Function

_RANDOM: Final = "its result is never the same"
_CLOCK: Final = "it reads the clock"
_ZONE: Final = "it depends on the time zone of the host"
_TIME: Final = "it needs a time, which no supported function gives"
_COSTLY: Final = "it is costly, and no template needs it"

REFUSED: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "bcrypt",
            "encryptAES",
            "genCA",
            "genCAWithKey",
            "genPrivateKey",
            "genSelfSignedCert",
            "genSelfSignedCertWithKey",
            "genSignedCert",
            "genSignedCertWithKey",
            "htpasswd",
            "randAlpha",
            "randAlphaNum",
            "randAscii",
            "randBytes",
            "randInt",
            "randNumeric",
            "shuffle",
            "uuidv4",
        ),
        _RANDOM,
    ),
    **dict.fromkeys(("ago", "now"), _CLOCK),
    **dict.fromkeys(
        (
            "date",
            "dateInZone",
            "date_in_zone",
            "htmlDate",
            "htmlDateInZone",
            "mustToDate",
            "toDate",
        ),
        _ZONE,
    ),
    **dict.fromkeys(
        (
            "dateModify",
            "date_modify",
            "mustDateModify",
            "must_date_modify",
            "unixEpoch",
        ),
        _TIME,
    ),
    **dict.fromkeys(("buildCustomCert", "decryptAES", "derivePassword"), _COSTLY),
}
"""Functions that are refused, and why."""

FUNCTIONS: Final[Mapping[str, Function]] = {
    **cases.FUNCTIONS,
    **defaults.FUNCTIONS,
    **dicts.FUNCTIONS,
    **durations.FUNCTIONS,
    **encoding.FUNCTIONS,
    **jsons.FUNCTIONS,
    **lists.FUNCTIONS,
    **numeric.FUNCTIONS,
    **paths.FUNCTIONS,
    **reflection.FUNCTIONS,
    **regex.FUNCTIONS,
    **semver.FUNCTIONS,
    **strings.FUNCTIONS,
    **urls.FUNCTIONS,
}
"""Every supported function by name."""
