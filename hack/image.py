"""Builds the production image: fills the digests of its bases, then calls Docker.

`python hack/image.py NAME:TAG [--verify] [--source URL] [-- DOCKER_BUILDX_FLAG...]`

1. Each base of the Dockerfile is a tag with a digest. The digest that the tag has now
   takes its place; `docker buildx imagetools inspect` says it.
2. With `--verify`, cosign checks who signed the runtime base.
3. `docker buildx build` with both references, and what the labels say: the version of
   pyproject.toml, the commit and its time. All files get the commit's time.

Needs Docker with buildx, git, for `--verify` cosign, and nothing else.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
MISSING, FAILED = 3, 1
SIGNED_BY: Final = {
    "gcr.io/distroless/": (
        "--certificate-oidc-issuer=https://accounts.google.com",
        "--certificate-identity=keyless@distroless.iam.gserviceaccount.com",
    )
}
"""Beginning of a base's name -> what cosign has to find. The builder's base is not
signed so; what it builds is pinned by hashes."""


class BuildError(Exception):
    """The image cannot be built; the message says why."""


class MissingError(BuildError):
    """A program that is needed is not there."""


def bases(dockerfile: str) -> dict[str, str]:
    """`ARG` -> tag, of the arguments before the first stage."""
    found = re.findall(r"(?m)^ARG (\w+)=([^@\s]+)@sha256:[0-9a-f]{64}$", dockerfile)
    return dict(found)


def resolved(tag: str) -> str:
    """The tag with the digest that it has now.

    Raises:
        BuildError: Docker could not find out.
    """
    wanted = ["docker", "buildx", "imagetools", "inspect"]
    digest = said([*wanted, "--format", "{{.Manifest.Digest}}", tag])
    if re.fullmatch(r"sha256:[0-9a-f]{64}", digest) is None:
        raise BuildError(f"{tag}: got no digest but {digest!r}")
    return f"{tag}@{digest}"


def verify(reference: str) -> None:
    """Has cosign check a base that is known to be signed.

    Raises:
        BuildError: the signature is missing or another's.
    """
    for beginning, identity in SIGNED_BY.items():
        if reference.startswith(beginning):
            said(["cosign", "verify", "--output=text", *identity, reference])


def said(command: Sequence[str]) -> str:
    """What a program prints.

    Raises:
        BuildError: it is missing, or it failed.
    """
    if shutil.which(command[0]) is None:
        raise MissingError(f"{command[0]} is not on PATH")
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()


def require_buildx() -> None:
    """Without it Docker takes `buildx` for a misspelled command, in many lines.

    Raises:
        MissingError: Docker, or its plugin, is not there.
    """
    try:
        said(["docker", "buildx", "version"])
    except MissingError:
        raise
    except BuildError as error:
        text = "docker has no buildx: https://docs.docker.com/go/buildx/"
        raise MissingError(text) from error


def build(name: str, *, is_verified: bool, source: str, flags: Sequence[str]) -> int:
    """Docker's exit status.

    Raises:
        BuildError: a base cannot be had or is not the one that was signed.
    """
    require_buildx()
    given = {
        argument: resolved(tag)
        for argument, tag in bases((ROOT / "Dockerfile").read_text()).items()
    }
    if is_verified:
        for reference in given.values():
            verify(reference)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    epoch = int(said(["git", "log", "-1", "--format=%ct"]))
    created = dt.datetime.fromtimestamp(epoch, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    given |= {
        "SOURCE_DATE_EPOCH": str(epoch),
        "CREATED": created,
        "VERSION": project["version"],
        "REVISION": said(["git", "rev-parse", "HEAD"]),
        "SOURCE": source,
    }
    command = ["docker", "buildx", "build", "--tag", name]
    for argument, value in given.items():
        command += ["--build-arg", f"{argument}={value}"]
    print(f"bases: {given['BUILDER']}, {given['RUNTIME']}", flush=True)
    return subprocess.run([*command, *flags, "."], cwd=ROOT, check=False).returncode


def main(arguments: Sequence[str]) -> int:
    """The exit status: 3 if a program is missing, else 1 for any failure."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", metavar="NAME:TAG")
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--source", default="https://imagecompat.dev")
    read = parser.parse_args(arguments[:end])
    try:
        return build(
            read.name,
            is_verified=read.verify,
            source=read.source,
            flags=arguments[end + 1 :],
        )
    except BuildError as error:
        print(f"image: {error}", file=sys.stderr)
        return MISSING if isinstance(error, MissingError) else FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
