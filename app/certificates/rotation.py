"""What a replica does next about authority, leaf and `caBundle`: values in and out.

Every replica runs this on what it has seen, and any of them may write: a write
names the version that it is based on, so of two that want the same, one loses and
looks again. The steps, in this order; the first that can be done is done:

1. **Authority.** There is none with its key (first start, a Secret that was
   deleted or damaged), it has ended, or it is past `renew_at` of its life: a new
   one joins the Secret's bundle as its last. Authorities of ours that a `caBundle`
   still publishes join, too: others may serve from them.
   Where the one before can still sign, the same write has a last leaf of it, so
   that (2) and (3) have a whole leaf's life. Where no leaf is usable, the same
   write has one of the new authority, so that the first start serves at once.
2. **Bundle.** Each configuration gets the Secret's bundle and the unexpired
   authorities of ours that any configuration publishes. So nobody ever takes away
   what another still serves from; only a life's end does.
3. **Leaf.** None is usable: a new one. It is past `renew_at`, or not of the newest
   authority: a new one, provided that every `caBundle` that exists has had the
   newest authority for `publish_seconds`.
4. **Tidying.** Authorities that have ended leave the Secret.
5. Otherwise nothing, until the next of these times.

What a replica serves is `choose`'s business, since it may see less than the one
that wrote: it takes a leaf once it has seen the leaf's authority in every
`caBundle` for a moment; at once if it is of the same authority as before, or if
there is nothing better.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cryptography import x509

from app.certificates.authority import (
    BACKDATE,
    Authority,
    Chance,
    make_authority,
    make_leaf,
)
from app.certificates.holding import (
    MAX_AUTHORITIES,
    Configuration,
    Holding,
    in_order,
)
from app.certificates.pair import Pair
from app.certificates.watching import What

PROPAGATION_SECONDS: Final = 5.0
"""From a `caBundle` that we see to one that every API server acts on."""

IDLE_SECONDS: Final = 600.0
"""The longest pause between two looks."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the certificates shall be like.

    Attributes:
        names: for the leaf; the first is the one that the API server asks for.
        authority_seconds: life of an authority.
        leaf_seconds: life of a leaf, no longer than its authority's.
        renew_at: share of its life after which each is renewed.
        publish_seconds: from an authority in every `caBundle` to its first leaf.
    """

    names: tuple[str, ...]
    authority_seconds: float
    leaf_seconds: float
    renew_at: float
    publish_seconds: float

    @property
    def propagation_seconds(self) -> float:
        """From a `caBundle` that was seen to a leaf that relies on it."""
        return min(self.publish_seconds, PROPAGATION_SECONDS)


@dataclass(frozen=True, slots=True)
class View:
    """What a replica has seen.

    Attributes:
        holding: the Secret's content.
        configurations: those that exist, by name.
        trusted_seconds: authority -> for how long every `caBundle` that exists
            has been seen to have it.
    """

    holding: Holding
    configurations: Mapping[str, Configuration]
    trusted_seconds: Mapping[x509.Certificate, float]


@dataclass(frozen=True, slots=True)
class Hold:
    """The Secret shall hold this; `makes` is what is new in it."""

    holding: Holding
    makes: tuple[What, ...]


@dataclass(frozen=True, slots=True)
class Publish:
    """This configuration shall publish this bundle in each of its webhooks."""

    configuration: str
    bundle: tuple[x509.Certificate, ...]


Step = Hold | Publish


@dataclass(frozen=True, slots=True)
class Served:
    """What handshakes get, and the authority that signed it."""

    pair: Pair
    issuer: x509.Certificate


def steps(
    view: View, plan: Plan, now: datetime, chance: Chance | None = None
) -> Iterator[Step]:
    """What can be done now, the most urgent first; each as if it were the only one."""
    chance = chance or Chance()
    if _wants_authority(view.holding, plan, now):
        yield _with_authority(view, plan, now, chance)  # (1)
    yield from _publications(view, now)  # (2)
    authority = view.holding.authority
    if authority is not None and _is_good(authority.certificate, now):
        if _wants_leaf(view, authority, plan, now):
            yield _with_leaf(view.holding, authority, plan, now, chance)  # (3)
        alive = tuple(one for one in view.holding.bundle if _is_good(one, now))
        if alive != view.holding.bundle:
            yield Hold(replace(view.holding, bundle=alive), ("bundle",))  # (4)


def pause_seconds(view: View, plan: Plan, now: datetime) -> float:
    """How long nothing is due, if nothing else happens (5)."""
    holding = view.holding
    seen = (one for each in view.configurations.values() for one in each.ours())
    times = [one.not_valid_after_utc for one in (*holding.bundle, *seen)]
    if holding.authority is not None:
        times.append(renewal(holding.authority.certificate, plan.renew_at))
    if holding.leaf is not None:
        times += [renewal(holding.leaf.leaf, plan.renew_at), holding.leaf.not_after]
    waits = [(one - now).total_seconds() for one in times]
    for since in view.trusted_seconds.values():
        waits += [plan.publish_seconds - since, plan.propagation_seconds - since]
    return min((one for one in waits if one > 0), default=IDLE_SECONDS)


def choose(
    view: View, serving: Served | None, plan: Plan, now: datetime
) -> Served | None:
    """The Secret's leaf, if it is time to serve it instead of `serving`."""
    leaf, issuer = view.holding.leaf, view.holding.issuer
    if leaf is None or issuer is None or leaf.not_after <= now:
        return None
    if serving is not None and serving.pair == leaf:
        return None
    found = Served(leaf, issuer)
    if serving is None or serving.pair.not_after <= now or serving.issuer == issuer:
        return found
    trusted = view.trusted_seconds.get(issuer)
    if trusted is None:
        return None
    is_settled = trusted >= plan.propagation_seconds
    return found if is_settled or not is_trusted(serving.issuer, view) else None


def is_trusted(authority: x509.Certificate, view: View) -> bool:
    """Whether every `caBundle` that exists has it."""
    return all(one.trusts(authority) for one in view.configurations.values())


def renewal(certificate: x509.Certificate, renew_at: float) -> datetime:
    """When a certificate of ours is due."""
    begins = certificate.not_valid_before_utc + BACKDATE
    return begins + renew_at * (certificate.not_valid_after_utc - begins)


def _is_good(certificate: x509.Certificate, now: datetime) -> bool:
    return now < certificate.not_valid_after_utc


def _wants_authority(holding: Holding, plan: Plan, now: datetime) -> bool:
    authority = holding.authority
    return authority is None or now >= renewal(authority.certificate, plan.renew_at)


def _with_authority(view: View, plan: Plan, now: datetime, chance: Chance) -> Hold:
    """The Secret with a new authority, and what leaf it takes."""
    holding, before = view.holding, view.holding.authority
    made = make_authority(now, seconds=plan.authority_seconds, chance=chance)
    known = [one for one in _everything(view) if _is_good(one, now)]
    kept = _bounded(known, first=_needed(holding), limit=MAX_AUTHORITIES - 1)
    grown = Holding((*kept, made.certificate), made, holding.leaf)
    issuer = holding.issuer
    if issuer is None or not _is_usable(holding.leaf, now):
        return _with_leaf(grown, made, plan, now, chance, ("authority", "leaf"))
    if before is not None and before.certificate == issuer and _is_good(issuer, now):
        return _with_leaf(grown, before, plan, now, chance, ("authority", "leaf"))
    return Hold(grown, ("authority",))


def _publications(view: View, now: datetime) -> Iterator[Publish]:
    needed = [one for one in _needed(view.holding) if _is_good(one, now)]
    if not needed:
        return
    known = [one for one in _everything(view) if _is_good(one, now)]
    wanted = _bounded(known, first=needed, limit=MAX_AUTHORITIES)
    for name, found in sorted(view.configurations.items()):
        if any(one != frozenset(wanted) for one in found.bundles):
            yield Publish(name, wanted)


def _everything(view: View) -> list[x509.Certificate]:
    """Every authority of ours that is in use somewhere, as far as we see."""
    published = (one.ours() for one in view.configurations.values())
    return [*view.holding.bundle, *(one for each in published for one in each)]


def _needed(holding: Holding) -> list[x509.Certificate]:
    """What a bundle must have first: the leaf's authority and the newest one."""
    newest, issuer = holding.bundle[-1:], holding.issuer
    return [*newest, *(() if issuer is None else (issuer,)), *holding.bundle]


def _bounded(
    known: Iterable[x509.Certificate],
    *,
    first: Iterable[x509.Certificate],
    limit: int,
) -> tuple[x509.Certificate, ...]:
    """At most `limit` of `known`, in order: those of `first`, then the youngest."""
    youngest = reversed(in_order(known))
    known = set(known)
    wanted = dict.fromkeys(one for one in (*first, *youngest) if one in known)
    return in_order(list(wanted)[:limit])


def _is_usable(leaf: Pair | None, now: datetime) -> bool:
    return leaf is not None and now < leaf.not_after


def _wants_leaf(view: View, authority: Authority, plan: Plan, now: datetime) -> bool:
    leaf, issuer = view.holding.leaf, view.holding.issuer
    if leaf is None or issuer is None or not _is_usable(leaf, now):
        return True
    newest = authority.certificate
    if issuer == newest:
        return now >= renewal(leaf.leaf, plan.renew_at)
    return view.trusted_seconds.get(newest, -1.0) >= plan.publish_seconds


def _with_leaf(
    holding: Holding,
    authority: Authority,
    plan: Plan,
    now: datetime,
    chance: Chance,
    makes: tuple[What, ...] = ("leaf",),
) -> Hold:
    seconds = plan.leaf_seconds
    leaf = make_leaf(authority, plan.names, now, seconds=seconds, chance=chance)
    return Hold(replace(holding, leaf=leaf), makes)
