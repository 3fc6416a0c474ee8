"""Makes pull secrets and images that try the kubelet's rules for credentials.

What was found in its source is a *trap*: the generator counts those that it made,
and `gaps` names what a run did not reach, so that a change here cannot quietly stop
testing something. Configs are written by hand, not by `json`: fields may stand twice.
"""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from app.ports import PullSecret

T = TypeVar("T")

CONFIG_JSON: Final = ("kubernetes.io/dockerconfigjson", ".dockerconfigjson")
CONFIG: Final = ("kubernetes.io/dockercfg", ".dockercfg")

HOSTS = (
    *("p.k.io", "p.k.io", "k.io", "p.k.io:1111", "a.b.k.io", "us-east-1.r.io:5000"),
    *("localhost", "localhost:5000", "Foo", "A", "[::1]:5000", "[::1]", "P.k.io"),
    *("docker.io", "index.docker.io", "", "", "10.0.0.1", "registry-1.docker.io"),
)
PATHS = ("x", "foo/bar", "foobar", "v1/x", "v2/foo", "library/nginx", "a/b/c", "fo-o/x")
MARKS = ("", ":1.2", f"@sha256:{'0' * 64}", f":1@sha256:{'a' * 64}")

SCHEMES = {"https": "https://", "http": "http://"}
OTHER_SCHEMES = {"upper scheme": "HTTPS://", "ftp": "ftp://", "no scheme": "//"}
OTHER_KEYS = {
    "docker's own": "https://index.docker.io/v1/",
    "docker's own, bare": "index.docker.io",
    "docker's own, no slash": "https://index.docker.io/v1",
    "docker's own with path": "index.docker.io/v1/foo",
    "docker's own by escape": "index.docker.io/v1%2f",
    "docker's own with a query": "index.docker.io?x",
    "empty": "",
    "slash": "/",
    "star": "*",
    "stars": "*.*",
    "class of letters": "[a-z].k.io",
    "class of an address": "[a::b]",
    "class of an address, great": "[A::1]",
    "class inside": "p[a-z].k.io",
    "zone": "[fe80::1%25eth0]:5000",
    "address without port": "[::1]",
    "address with a port": "[::1]:5000",
    "address and more": "[::1]x:5000",
    "address of IPv4": "[10.0.0.1]",
    "open bracket": "[::1",
    "closing bracket": "p].k.io",
    "colons": "::1",
    "question mark": "p?.k.io",
    "backslash": "p\\*.k.io",
    "space": "p .k.io",
    "control": "p.k.io\x01",
    "delete": "p.k.io\x7f",
    "tab in a path": "p.k.io/f\too",
    "escape in a host": "%70.k.io",
    "escape beyond ASCII in a host": "%c3%a4.k.io",
    "escaped percent in a host": "p%25.k.io",
    "broken escape": "p.k.io/%zz",
    "short escape": "p.k.io/%2",
    "escape in a path": "p.k.io/fo%6f",
    "escaped slash": "p.k.io%2Ffoo",
    "escaped slash in a path": "p.k.io/%2F",
    "twice escaped": "p.k.io/fo%256f",
    "escape that breaks later": "p.k.io/%25zz",
    "escaped question mark": "p.k.io/fo%3Fo",
    "escaped fragment": "p.k.io/f%23oo",
    "escape that is no text": "p.k.io/%ff",
    "query": "p.k.io?x=1",
    "query with a slash": "p.k.io?/foo",
    "query behind a path": "p.k.io/foo?/bar",
    "fragment": "p.k.io/foo#bar",
    "broken fragment": "p.k.io#%zz",
    "control in a fragment": "p.k.io#\x01",
    "user": "user:pass@p.k.io/foo",
    "broken user": "us er@p.k.io",
    "two at": "a@b@p.k.io",
    "escape in a user": "%zz@p.k.io",
    "port of letters": "p.k.io:http",
    "port of a star": "p.k.io:*",
    "port that is empty": "p.k.io:",
    "two ports": "p.k.io:1111:1111",
    "port in a path": "p.k.io/foo:1111",
    "v1 without slash": "p.k.io/v1",
    "v3": "p.k.io/v3/",
    "v2 twice": "p.k.io/v2/v2/",
    "v2 and path": "p.k.io/v2/foo",
    "two slashes": "p.k.io//foo",
    "scheme twice": "https://https://p.k.io",
    "not ASCII": "ä.k.io",
    "other letters": "p.k.io/ü",
}
BAD_AUTHS = {
    "no base64": "!!!!",
    "no colon": base64.b64encode(b"user").decode(),
    "empty text": "\n",
    "one letter": "QQQQQ",
    "little padding": "dTpwMQ=",
    "much padding": "dTpwMQ====",
    "padding inside": "dTo=cA==",
    "space": " dTpw",
    "space at the end": "dTpwMQ== ",
    "tab inside": "dT\tpw",
    "of the web": "dTr_-w==",
}
BAD_CONFIGS = {
    "list": "[]",
    "text": '"x"',
    "number": "1",
    "open": '{"auths": {"p.k.io": {}}',
    "garbage behind": "{} x",
    "mark of bytes": "\ufeff{}",
    "not a number": '{"x": NaN}',
    "zero before": '{"x": 01}',
    "control in a text": '{"x": "\x01"}',
    "bad escape": '{"x": "\\x"}',
    "spaces": " \n",
    "single quotes": "{'auths': {}}",
    "comma": '{"auths": {},}',
}
ODD_CONFIGS = {
    "null": "null",
    "nothing": "{}",
    "null auths": '{"auths": null}',
    "great number": '{"x": ' + "9" * 5000 + "}",
    "float": '{"x": -1.5e400}',
    "deep": '{"x": ' + "[" * 200 + "]" * 200 + "}",
}
BAD_ENTRIES = {
    "entry is a text": '"x"',
    "entry is a list": "[]",
    "entry is true": "true",
    "auth is a number": '{"auth": 7}',
    "user is a list": '{"username": []}',
    "email is a number": '{"email": 1.5}',
    "password is an object": '{"password": {}}',
    "great name is a number": '{"USERNAME": 1}',
    "wrong before right": '{"username": 1, "username": "u"}',
}
ODD_ENTRIES = {
    "null entry": "null",
    "empty entry": "{}",
    "auth of nothing": '{"auth": "Og=="}',
    "null auth": '{"auth": null, "email": null}',
    "a token": '{"identitytoken": 7, "registrytoken": []}',
    "not UTF-8": '{"auth": "/zr/"}',
    "others": '{"paſsport": 1, "emaıl": 1, "x": [1, {"auth": 2}]}',
}
ENTRY_SHARES: Final = (0.015, 0.12)
CONFIG_SHARES: Final = (0.04, 0.06)


@dataclass(frozen=True, slots=True)
class Case:
    """One question.

    Attributes:
        id: of the question.
        image: as a Pod writes it.
        secrets: of the Pod.
        users: user -> the number of the Secret, and the key there.
    """

    id: str
    image: str
    secrets: tuple[PullSecret, ...]
    users: dict[str, tuple[int, str]]


class Generator:
    """Random cases; the same seed makes the same ones.

    Attributes:
        hits: trap -> how often it was made.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.hits: Counter[str] = Counter()
        self._users: dict[str, tuple[int, str]] = {}
        self._waiting: dict[str, list[str]] = {}

    def case(self, number: int) -> Case:
        self._users = {}
        host, path = self._pick(HOSTS), self._pick(PATHS)
        image = f"{host}/{path}" if host else path
        count = self._pick((0, 1, 1, 1, 2, 2, 3))
        secrets = tuple(self._secret(at, host, path) for at in range(count))
        self._hit("several secrets", count > 1)
        self._hit("no secret", not count)
        return Case(str(number), image + self._pick(MARKS), secrets, self._users)

    # Secrets

    def _secret(self, at: int, host: str, path: str) -> PullSecret:
        kind, key = self._pick((CONFIG_JSON, CONFIG_JSON, CONFIG))
        text = self._config(at, host, path, is_bare=key == CONFIG[1])
        content = text.encode(errors="surrogatepass")
        if self._chance(0.03):
            content = content.replace(b': "u', b': "\xff\xe2\x82u', 1)
            self.hits["bytes that are no text"] += 1
        other_kind, other_key = CONFIG_JSON if kind == CONFIG[0] else CONFIG
        data = {key: content}
        if self._chance(0.12):
            trap = self._pick(("type", "key", "both keys", "no value", "opaque"))
            self.hits[f"secret: {trap}"] += 1
            kind = {"type": other_kind, "opaque": "Opaque"}.get(trap, kind)
            data = {
                "key": {other_key: content},
                "both keys": {key: content, other_key: b"broken"},
                "no value": {key: b""},
            }.get(trap, data)
        return PullSecret(f"s{at}", kind, data)

    def _config(self, at: int, host: str, path: str, *, is_bare: bool) -> str:
        bad, odd = CONFIG_SHARES
        if self._chance(bad):
            return self._named(BAD_CONFIGS, "config ")
        if self._chance(odd):
            return self._named(ODD_CONFIGS, "config ")
        auths = self._auths(at, host, path)
        if is_bare:
            return auths
        fields = [(self._cased("auths"), auths)]
        if self._chance(0.08):
            fields.append(("auths", self._pick((self._auths(at, host, path), "null"))))
            self.hits["auths twice"] += 1
        if self._chance(0.08):
            texts = self._pick(('{"a": "b"}', '{"a": 1}', "[]", "null", '{"a": null}'))
            fields.append((self._cased("HttpHeaders"), texts))
            self.hits["headers"] += 1
        if self._chance(0.1):
            fields.append(("credsStore", '"desktop"'))
        self.random.shuffle(fields)
        return _object(fields)

    def _auths(self, at: int, host: str, path: str) -> str:
        keys = [self._key(host, path) for _ in range(self._pick((0, 1, 1, 2, 3, 4)))]
        if keys and self._chance(0.1):
            keys.append(keys[0])
            self.hits["key twice"] += 1
        return _object([(key, self._entry(at, key)) for key in keys])

    # Keys

    def _key(self, host: str, path: str) -> str:
        if self._chance(0.35):
            return self._named(OTHER_KEYS, "key ")
        scheme = ""
        if self._chance(0.4):
            scheme = self._named(SCHEMES, "scheme ")
        elif self._chance(0.05):
            scheme = self._named(OTHER_SCHEMES, "scheme ")
        name, colon, port = (host or "docker.io").partition(":")
        if "[" in host or self._chance(0.5):
            place = host or "docker.io"
        else:
            place = f"{self._globbed(name)}{colon}{self._pick((port, port, '1', ''))}"
        return f"{scheme}{place}{self._path(path)}"

    def _globbed(self, name: str) -> str:
        parts = name.split(".")
        at = self.random.randrange(len(parts))
        part = parts[at]
        parts[at] = self._pick(("*", f"*{part[-1:]}", f"{part[:1]}*", f"{part}*", "z*"))
        self.hits["glob"] += 1
        if self._chance(0.1):
            parts.insert(0, "*")
            self.hits["more parts"] += 1
        return ".".join(parts)

    def _path(self, path: str) -> str:
        return self._pick(
            (
                *("", "", "/", "/v1/", "/v2/"),
                f"/{path}",
                f"/{path[: self.random.randrange(1, len(path) + 1)]}",
                f"/v2/{path}",
                f"/{path}/more",
                f"/{path.partition('/')[0]}/",
            )
        )

    # Entries

    def _entry(self, at: int, key: str) -> str:
        bad, odd = ENTRY_SHARES
        if self._chance(bad):
            return self._named(BAD_ENTRIES, "")
        if self._chance(bad):
            auth = self._named(BAD_AUTHS, "auth ")
            return _object([("auth", json.dumps(auth))])
        if self._chance(odd):
            return self._named(ODD_ENTRIES, "")
        user = self._user(at, key)
        password = self._pick(("", "p", "p:q", "ß", "pp", "\ud800", "x" * 40))
        clean = password.replace("\ud800", "\ufffd")
        auth = base64.b64encode(f"{user}:{clean}".encode()).decode()
        form = self.random.randrange(5)
        if form == 0:
            return _object([("auth", json.dumps(self._padding(auth)))])
        name, secret = self._cased("username"), self._cased("password")
        fields = [(name, json.dumps(user)), (secret, json.dumps(password))]
        if form == 1:
            self.hits["auth and fields"] += 1
            others = [("username", '"x"'), ("password", '"y"')]
            return _object([*others, (self._cased("auth"), json.dumps(auth))])
        if form == 2:
            self.hits["field twice"] += 1
            fields.insert(0, ("username", '"first"'))
            fields.append(("USERNAME", "null"))
        return _object(fields)

    def _user(self, at: int, key: str) -> str:
        if self._users and self._chance(0.08):
            known = self._pick(tuple(self._users))
            if self._users[known] == (at, key):
                return known
        user = f"u{len(self._users)}"
        self._users[user] = (at, key)
        return user

    def _padding(self, auth: str) -> str:
        bare = auth.rstrip("=")
        forms = {
            "padded": auth,
            "unpadded": bare,
            "line end": f"{auth}\n",
            "lines": f"{auth[:4]}\r\n{auth[4:]}",
            "unpadded line end": f"{bare}\n",
        }
        return self._named(forms, "auth ")

    def _cased(self, name: str) -> str:
        if not self._chance(0.1):
            return name
        self.hits["case of a field"] += 1
        return self._pick((name.upper(), name.title(), name.replace("s", "ſ")))

    # Chance

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _pick(self, among: Sequence[T]) -> T:
        return self.random.choice(among)

    def _named(self, traps: dict[str, str], what: str) -> str:
        """One of them; each once before any comes again."""
        waiting = self._waiting.setdefault(f"{what}{next(iter(traps))}", [])
        if not waiting:
            waiting.extend(self.random.sample(tuple(traps), len(traps)))
        name = waiting.pop()
        self.hits[f"{what}{name}"] += 1
        return traps[name]

    def _hit(self, name: str, is_hit: bool) -> None:
        self.hits[name] += is_hit


def _object(fields: Sequence[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{json.dumps(k)}: {v}" for k, v in fields) + "}"


LEAST_CASES: Final = 2000
"""A run of fewer need not reach every trap."""


def gaps(hits: Counter[str]) -> list[str]:
    """Traps that a run did not reach."""
    named = [
        *(f"key {name}" for name in OTHER_KEYS),
        *(f"scheme {name}" for name in (*SCHEMES, *OTHER_SCHEMES)),
        *(f"config {name}" for name in (*BAD_CONFIGS, *ODD_CONFIGS)),
        *(f"auth {name}" for name in BAD_AUTHS),
        *BAD_ENTRIES,
        *ODD_ENTRIES,
        *("glob", "more parts", "key twice", "auths twice", "headers", "field twice"),
        *("several secrets", "no secret", "case of a field", "bytes that are no text"),
    ]
    return [name for name in named if not hits[name]]
