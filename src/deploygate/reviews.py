"""Who has agreed to a change: the reviews of a pull request, held against whom the change concerns.

Only the latest review of each person counts, only an approval of the newest commit is one, and nobody approves their
own change. What can't be told is not an approval.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from deploygate.concerns import Concern, Owner, Role
from deploygate.findings import Finding, Where
from deploygate.names import ServiceName
from deploygate.wording import count, plain

RULE = "unreviewed"


class Stance(StrEnum):
    """What a review says; a comment says neither yes nor no, and takes nothing back."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes requested"
    DISMISSED = "dismissed"
    COMMENTED = "commented"


@dataclass(frozen=True, slots=True)
class Review:
    """One review, by a login, of a commit; "" where GitHub has forgotten either."""

    by: str
    stance: Stance
    commit: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A pull request as it was reviewed: the newest commit, whose change it is, the reviews in their order.

    `base` is the commit that it is to be merged into.
    """

    number: int
    head: str
    author: str
    reviews: tuple[Review, ...]
    base: str = ""


class Standing(StrEnum):
    """Whether those whom a change concerns have agreed to it."""

    APPROVED = "approved"
    NEEDED = "needed"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Approval:
    """One owner in one role: for which services and why, and whether the approval is there; `by` has given it."""

    role: Role
    owner: Owner
    services: tuple[ServiceName, ...]
    why: tuple[str, ...]
    standing: Standing
    says: str
    help: str = ""
    by: tuple[str, ...] = ()
    where: Where = Where()


def teams(concerns: Iterable[Concern]) -> tuple[str, ...]:
    """Return the teams whose members have to be known."""
    accounts = {
        one.account.casefold(): one.account for concern in concerns for one in (*concern.owners, *concern.others)
    }
    return tuple(account for account in accounts.values() if "/" in account)


def approvals(
    concerns: Sequence[Concern], pull: Reviewed, members: Mapping[str, frozenset[str] | None]
) -> tuple[Approval, ...]:
    """Return for each role and owner whether the approval that a change needs is there.

    `members` are the logins in each team; None, or no entry, where that can't be told.
    """
    known = {team.casefold(): who and frozenset(one.casefold() for one in who) for team, who in members.items()}
    made: dict[tuple[Role, Owner, tuple[Owner, ...]], Approval] = {}
    for concern in concerns:
        for owner in concern.owners:
            stand_ins = _stand_ins(concern, owner, pull.author)
            key = (concern.role, owner, stand_ins)
            if key not in made:
                made[key] = _held_against(concern, owner, stand_ins, pull, known)
            earlier = made[key]
            services = tuple(dict.fromkeys((*earlier.services, concern.service)))
            made[key] = replace(earlier, services=services, why=tuple(dict.fromkeys((*earlier.why, *concern.why))))
    return tuple(made.values())


def unread(concerns: Sequence[Concern], says: str, advice: str) -> tuple[Approval, ...]:
    """Return the same where the reviews could not be read: nobody is known to have agreed, or not to have."""
    nobody = Reviewed(0, "", "", ())
    told = approvals(concerns, nobody, {})
    return tuple(replace(one, standing=Standing.UNKNOWN, says=says, help=advice) for one in told)


def missing(concerns: Sequence[Concern], says: str) -> tuple[Approval, ...]:
    """Return the same where it is known that nobody can have agreed."""
    return tuple(
        replace(one, standing=Standing.NEEDED, says=says, help="Bring the change in by a pull request.")
        for one in approvals(concerns, Reviewed(0, "", "", ()), {})
    )


def standing(told: Iterable[Approval]) -> Standing:
    """Return what all of them come to: one that is missing outweighs what can't be told."""
    found = {one.standing for one in told}
    return next((one for one in (Standing.NEEDED, Standing.UNKNOWN) if one in found), Standing.APPROVED)


def headline(told: Sequence[Approval]) -> str:
    """Return in one line who has agreed, or who has still to."""
    if not told:
        return "the change concerns nobody, so no approval is needed"
    some = [one for one in told if one.standing is standing(told)]
    names = ", ".join(dict.fromkeys(f"{one.role} {one.owner.name}" for one in some))
    match standing(told):
        case Standing.APPROVED:
            return f"all whom the change concerns have approved it: {names}"
        case Standing.NEEDED:
            return f"{count(len(some), 'approval')} of owners still needed: {names}"
        case Standing.UNKNOWN:
            return f"{count(len(some), 'approval')} of owners can't be told: {names}"


def unreviewed(told: Iterable[Approval]) -> tuple[Finding, ...]:
    """Return a finding for each approval that is not there."""
    return tuple(
        Finding(RULE, one.where, f"{one.role} of {named(one.services)}: {one.says}", one.help)
        for one in told
        if one.standing is not Standing.APPROVED
    )


def named(services: Sequence[ServiceName]) -> str:
    """Name services, three at the most."""
    shown = ", ".join(services[:3])
    return f"{shown} and {count(len(services) - 3, 'other')}" if len(services) > 3 else shown


def _stand_ins(concern: Concern, owner: Owner, author: str) -> tuple[Owner, ...]:
    """Return who else may approve what an owner has written: those who answer for the service besides."""
    if owner.account.casefold() != author.casefold() or not author:
        return ()
    return tuple(one for one in concern.others if one.account and one.account.casefold() != author.casefold())


def _held_against(
    concern: Concern,
    owner: Owner,
    stand_ins: tuple[Owner, ...],
    pull: Reviewed,
    members: Mapping[str, frozenset[str] | None],
) -> Approval:
    """Return whether one owner's approval is there."""
    whole = Approval(concern.role, owner, (), (), Standing.NEEDED, "", where=concern.where)
    if not owner.account:
        return replace(
            whole,
            standing=Standing.UNKNOWN,
            says=f"nobody knows who {plain(owner.name, 60)} is on GitHub",
            help="Say so under `people` in the inventory.",
        )
    own = bool(stand_ins) or owner.account.casefold() == pull.author.casefold()
    asked = stand_ins if own else (owner,)
    wanted = " or ".join(one.account for one in asked)
    latest = _latest(pull)
    people, untold = _people(asked, members)
    against = sorted(latest[one].by for one in people if one in latest and _is(latest[one], Stance.CHANGES_REQUESTED))
    agreed = [one for one in latest.values() if _is(one, Stance.APPROVED)]
    on_head = [one for one in agreed if one.commit and one.commit == pull.head]
    by = sorted(one.by for one in on_head if one.by.casefold() in people)
    if against:
        return replace(
            whole, says=f"{', '.join(against)} asked for changes", help="Make them, and ask for another look."
        )
    if by:
        return replace(whole, standing=Standing.APPROVED, says=f"approved by {', '.join(by)}", by=tuple(by))
    if own and not asked:
        return replace(
            whole,
            says=f"{owner.account} has written the change, and nobody else answers for it",
            help="Let a team, or somebody else as well, answer for the service under `owners`.",
        )
    maybe = sorted(one.by for one in on_head)
    if untold and maybe:
        return replace(
            whole,
            standing=Standing.UNKNOWN,
            says=f"could not verify that {' or '.join(maybe)} is in {' or '.join(untold)}",
            help="A job's own token knows no team's members: give `token` that of an app with `members: read`.",
        )
    stale = sorted(one.by for one in agreed if one.by.casefold() in people)
    written = f", as {owner.account} has written the change" if own else ""
    if stale:
        says = f"{', '.join(stale)} approved an earlier commit"
        return replace(whole, says=says, help=f"Ask {', '.join(stale)} to look at {pull.head[:7]}.")
    return replace(whole, says=f"{wanted} is to approve it{written}", help=f"Ask {wanted} for a review.")


def _latest(pull: Reviewed) -> dict[str, Review]:
    """Return the last word of each person but the author; a comment is none, a dismissed one neither yes nor no."""
    said = [one for one in pull.reviews if one.by and one.stance is not Stance.COMMENTED]
    author = pull.author.casefold()
    return {one.by.casefold(): one for one in said if one.by.casefold() != author}


def _people(asked: Iterable[Owner], members: Mapping[str, frozenset[str] | None]) -> tuple[set[str], list[str]]:
    """Return the logins that may approve, and the teams of which they can't be told."""
    people: set[str] = set()
    untold: list[str] = []
    for one in asked:
        account = one.account.casefold()
        inside = members.get(account) if "/" in account else frozenset({account})
        if inside is None:
            untold.append(one.account)
        else:
            people |= inside
    return people, untold


def _is(review: Review, stance: Stance) -> bool:
    return review.stance is stance
