"""What is watched, and who is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Resource:
    """One collection of the API.

    Attributes:
        name: as RBAC spells it (`nodes`).
        path: the collection's URL below the server's address.
        page_limit: how many objects the first page of a list asks for.
        namespace: the one that `path` is about; empty for all of the cluster.
        is_optional: whether the kind may not be installed (404).
    """

    name: str
    path: str
    page_limit: int
    namespace: str = ""
    is_optional: bool = False

    def __str__(self) -> str:
        return f"{self.name} in {self.namespace}" if self.namespace else self.name


class Sink(Protocol[T_contra]):
    """Takes in what a reflector finds; never raises."""

    def replace(self, objects: Mapping[str, T_contra]) -> Iterator[None]:
        """These are all the objects, now: key -> object.

        Taken in in portions, one each time that the iterator is asked: others may
        run between two, and see what came so far.
        """
        ...

    def put(self, key: str, value: T_contra) -> None:
        """This object is new or has changed."""
        ...

    def remove(self, key: str) -> None:
        """This object is gone."""
        ...
