"""What lets the registry of this process be written to.

`registry.handlers |= Writing(...).handlers()` adds uploads, manifests and deletion, in
one of the ways in which real registries differ.

Source: OCI distribution-spec v1.1, sections *Push* and *Content Management*.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.demo.content import Repository, digest_of
from app.demo.faults import Reply
from app.demo.registry import READING, Call, Handler, Registry, error


@dataclass
class Writing:
    """How a registry takes what is written.

    Attributes:
        subjects: whether it says `OCI-Subject`; else clients keep the fallback tag.
        versions: whether manifests have an `ETag`, and `If-Match` is obeyed.
        deletes: whether manifests can be deleted; else 405.
        location: of an upload; `{name}` and `{upload}` are filled in.
        uploads: that were begun, and are not ended.
        begun: how many uploads ever were.
    """

    subjects: bool = True
    versions: bool = False
    deletes: bool = True
    location: str = "/v2/{name}/blobs/uploads/{upload}?state=1"
    uploads: set[str] = field(default_factory=set)
    begun: int = 0

    def handlers(self) -> Mapping[tuple[str, str], Handler]:
        """Method and kind of path -> what answers."""
        return {
            ("POST", "blobs/uploads"): self._begin,
            ("PUT", "blobs/uploads"): self._end,
            ("PUT", "manifests"): self._put,
            ("DELETE", "manifests"): self._delete,
            ("GET", "manifests"): self._get,
        }

    def _begin(self, _registry: Registry, call: Call) -> Reply:
        upload = f"upload-{self.begun}"
        self.begun += 1
        self.uploads.add(upload)
        location = self.location.format(name=call.name, upload=upload)
        return Reply(202, {"Location": location})

    def _end(self, _registry: Registry, call: Call) -> Reply:
        digest = call.request.query.get("digest", "")
        if call.wanted not in self.uploads:
            return error(404, "BLOB_UPLOAD_UNKNOWN")
        if digest != digest_of(call.body, digest.partition(":")[0]):
            return error(400, "DIGEST_INVALID")
        self.uploads.discard(call.wanted)
        call.repository.blobs[digest] = call.body
        return Reply(201, {"Docker-Content-Digest": digest})

    def _get(self, registry: Registry, call: Call) -> Reply:
        reply = READING["GET", "manifests"](registry, call)
        version = self._version(call)
        if not version:
            return reply
        return replace(reply, headers={**reply.headers, "ETag": version})

    def _version(self, call: Call) -> str:
        digest = call.repository.tags.get(call.wanted, "")
        return f'"{digest}"' if self.versions and digest else ""

    def _put(self, _registry: Registry, call: Call) -> Reply:
        match = call.request.headers.get("If-Match")
        if self.versions and match is not None and match != self._version(call):
            return error(412, "DENIED")
        manifest = json.loads(call.body)
        if not _is_whole(call.repository, manifest):
            return error(400, "MANIFEST_BLOB_UNKNOWN")
        digest = digest_of(call.body)
        if ":" in call.wanted and call.wanted != digest:
            return error(400, "DIGEST_INVALID")
        kind = call.request.headers.get("Content-Type", "")
        store(call.repository, call.body, kind)
        if ":" not in call.wanted:
            call.repository.tags[call.wanted] = digest
        headers = {"Docker-Content-Digest": digest}
        if self.subjects and "subject" in manifest:
            headers["OCI-Subject"] = manifest["subject"]["digest"]
        return Reply(201, headers)

    def _delete(self, _registry: Registry, call: Call) -> Reply:
        repository, digest = call.repository, call.wanted
        if not self.deletes:
            return error(405, "UNSUPPORTED")
        if digest not in repository.types:
            return error(404, "MANIFEST_UNKNOWN")
        del repository.types[digest], repository.blobs[digest]
        repository.subjects.pop(digest, None)
        repository.listed = [
            one for one in repository.listed if one["digest"] != digest
        ]
        for tag in [tag for tag, of in repository.tags.items() if of == digest]:
            del repository.tags[tag]
        return Reply(202)


def store(repository: Repository, content: bytes, kind: str) -> None:
    """Stores a manifest; an artifact is listed among its subject's referrers."""
    digest = digest_of(content)
    manifest = json.loads(content)
    is_new = digest not in repository.types
    repository.blobs[digest] = content
    repository.types[digest] = kind
    subject = manifest.get("subject")
    if subject is None or not is_new:
        return
    repository.subjects[digest] = subject["digest"]
    config = manifest.get("config", {}).get("mediaType", "")
    entry = {
        "mediaType": kind,
        "digest": digest,
        "size": len(content),
        "annotations": manifest.get("annotations", {}),
        "artifactType": manifest.get("artifactType") or config,
    }
    repository.listed.append(entry)


def _is_whole(repository: Repository, manifest: Mapping[str, Any]) -> bool:
    """Whether everything is there that a manifest or index names."""
    named = [*manifest.get("layers", []), *manifest.get("manifests", [])]
    named += [manifest["config"]] if "config" in manifest else []
    return all(one["digest"] in repository.blobs for one in named)
