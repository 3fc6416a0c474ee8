"""Our credentials for an image against the kubelet's own, on generated pull secrets.

`IMAGECOMPAT_CASES` sets how many (2,000 by default), `IMAGECOMPAT_SEED` repeats a
run. Two differences are meant, and set aside here: a credential that stands twice is
tried once, and one without a text, or one that is not UTF-8, is not tried at all.

Entries of one Secret whose keys come to the same are in any order with the kubelet,
which keeps them in a map; here in that of the file.
"""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from app.errors import ConfigError
from app.oci.credentials import Credential, Entry, keyring_of
from app.oci.images import reference
from app.ports import PullSecret
from tests.conformance import credentials_cases
from tests.conformance.credentials_cases import (
    CONFIG_JSON,
    HOSTS,
    LEAST_CASES,
    OTHER_KEYS,
    OTHER_SCHEMES,
    Case,
)
from tests.tools import needed

Pair = tuple[str, str]
OUTCOMES = ("error", "0", "1", "2", "3")
"""How many credentials are tried; the last is for more, too."""
LEAST_SHARE = 0.02


@pytest.fixture(scope="module")
def oracle() -> Path:
    [program] = needed.programs("credentials-oracle")
    return program


def question(case: Case) -> dict[str, Any]:
    secrets = [
        {
            "type": one.type,
            "data": {
                key: base64.b64encode(value).decode() for key, value in one.data.items()
            },
        }
        for one in case.secrets
    ]
    return {"id": case.id, "image": case.image, "secrets": secrets}


def ask(oracle: Path, cases: Iterable[Case]) -> list[dict[str, Any]]:
    text = "".join(json.dumps(question(case)) + "\n" for case in cases)
    done = subprocess.run(
        [oracle], input=text, capture_output=True, text=True, check=True, timeout=300
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def expected(answer: Mapping[str, Any]) -> list[Pair] | str:
    """What the kubelet tries; `error` where it would pull nothing."""
    if answer.get("error"):
        assert answer["error"].startswith("secrets: "), answer
        return "error"
    return list(dict.fromkeys(texts(answer["credentials"])))


def texts(pairs: Iterable[tuple[str, str]]) -> Iterator[Pair]:
    for pair in pairs:
        username, password = (base64.b64decode(one) for one in pair)
        try:
            found = username.decode(), password.decode()
        except UnicodeDecodeError:
            continue
        if any(found):
            yield found


def ours(case: Case) -> list[Pair] | str:
    try:
        keyring = keyring_of(case.secrets)
    except ConfigError:
        return "error"
    found = keyring.lookup(reference.parse(case.image))
    return [(one.username, one.password) for one in found]


def settled(case: Case, found: list[Pair] | str) -> object:
    """The same with entries of one Secret and key in one order."""
    if isinstance(found, str):
        return found

    def group(pair: Pair) -> tuple[int, str]:
        at, key = case.users.get(pair[0].lstrip("\ufffd"), (-1, pair[0]))
        entry = Entry.of(key, Credential())
        return at, entry.key if entry is not None else key

    return [sorted(pairs) for _, pairs in groupby(found, group)]


def alone(key: str, image: str) -> Case:
    """One Secret with one entry, and Docker's own beside it."""
    auths = {key: {"username": "u0"}, "https://index.docker.io/v1/": {"username": "u1"}}
    content = json.dumps({"auths": auths}).encode()
    secret = PullSecret("s", CONFIG_JSON[0], {CONFIG_JSON[1]: content})
    users = {user["username"]: (0, key) for key, user in auths.items()}
    return Case(f"{key} {image}", image, (secret,), users)


def test_every_key_opens_what_it_opens_for_a_kubelet(oracle: Path) -> None:
    keys = (*OTHER_KEYS.values(), *(f"{one}p.k.io" for one in OTHER_SCHEMES.values()))
    images = [
        f"{host}/{path}"
        for host in sorted(set(HOSTS) - {""})
        for path in ("x", "foo/bar", "foobar", "v1/x")
    ]
    cases = [alone(key, image) for key in keys for image in images]
    answers = ask(oracle, cases)
    found = [settled(case, ours(case)) for case in cases]
    theirs = [
        settled(case, expected(answer))
        for case, answer in zip(cases, answers, strict=True)
    ]
    rows = zip(cases, theirs, found, strict=True)
    assert [] == [(case.id, *two) for case, *two in rows if two[0] != two[1]]
    assert any(len(str(one)) > len(str([[("u1", "")]])) for one in theirs)


def test_credentials_are_those_that_a_kubelet_tries(oracle: Path) -> None:
    seed = int(
        os.environ.get("IMAGECOMPAT_SEED") or random.SystemRandom().getrandbits(32)
    )
    count = int(os.environ.get("IMAGECOMPAT_CASES") or 2000)
    print(f"IMAGECOMPAT_SEED={seed} IMAGECOMPAT_CASES={count}")
    generator = credentials_cases.Generator(seed)
    cases = [generator.case(number) for number in range(count)]
    answers = ask(oracle, cases)
    assert count == len(answers)

    said: Counter[str] = Counter()
    differences: list[tuple[object, ...]] = []
    for case, answer in zip(cases, answers, strict=True):
        theirs, found = expected(answer), ours(case)
        said[theirs if isinstance(theirs, str) else str(min(len(theirs), 3))] += 1
        if settled(case, theirs) != settled(case, found):
            contents = [dict(one.data) for one in case.secrets]
            differences.append((case.image, contents, theirs, found))
        repository = reference.parse(case.image).name
        if answer["repository"] != repository:
            differences.append((case.image, [], answer, repository))
    print("said", {name: f"{n / count:.0%}" for name, n in sorted(said.items())})
    print("hits", dict(sorted(generator.hits.items())))
    assert [] == differences[:3]
    if count >= LEAST_CASES:
        assert [] == credentials_cases.gaps(generator.hits)
        assert [] == [one for one in OUTCOMES if said[one] < count * LEAST_SHARE]
