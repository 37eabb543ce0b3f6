"""What counts as an approval, and what does not."""

import pytest

from deploygate.concerns import Concern, Owner, Role
from deploygate.findings import Finding, Where
from deploygate.names import ServiceName
from deploygate.reviews import (
    Approval,
    Review,
    Reviewed,
    Stance,
    Standing,
    approvals,
    headline,
    missing,
    standing,
    teams,
    unread,
    unreviewed,
)

HEAD, OLD = "2e" * 20, "1f" * 20
CORY, NATHAN, ADS = Owner("cory", "cory"), Owner("nathan", "Nathan-D"), Owner("obaid", "acme/Ads")
YES, NO, AWAY, SAYS = Stance.APPROVED, Stance.CHANGES_REQUESTED, Stance.DISMISSED, Stance.COMMENTED


def concern(owner: Owner, role: Role = Role.DEV, service: str = "Svc", why: str = "the version") -> Concern:
    where = Where("services.yml", 4, 3)
    return Concern(ServiceName(service), role, (why,), (owner,), (NATHAN, CORY, ADS), where)


def pull(*reviews: tuple[str, Stance] | tuple[str, Stance, str], author: str = "mallory") -> Reviewed:
    return Reviewed(7, HEAD, author, tuple(Review(one[0], one[1], one[2] if len(one) > 2 else HEAD) for one in reviews))


def told(owner: Owner, reviewed: Reviewed, members: dict[str, frozenset[str] | None] | None = None) -> Approval:
    (found,) = approvals([concern(owner)], reviewed, members or {})
    return found


def said(
    owner: Owner, reviewed: Reviewed, members: dict[str, frozenset[str] | None] | None = None
) -> tuple[Standing, str]:
    found = told(owner, reviewed, members)
    return found.standing, found.says


def test_an_owner_s_approval_of_the_newest_commit_counts() -> None:
    found = told(CORY, pull(("cory", YES)))
    assert (found.standing, found.says, found.by) == (Standing.APPROVED, "approved by cory", ("cory",))


@pytest.mark.parametrize("login", ["nathan-d", "NATHAN-D", "Nathan-D"])
def test_a_login_is_the_same_in_any_capitals(login: str) -> None:
    assert told(NATHAN, pull((login, YES))).standing is Standing.APPROVED


def test_nobody_else_s_approval_counts() -> None:
    assert said(CORY, pull(("mona", YES), ("cory2", YES))) == (Standing.NEEDED, "cory is to approve it")


def test_an_approval_of_an_earlier_commit_does_not_count() -> None:
    assert said(CORY, pull(("cory", YES, OLD))) == (Standing.NEEDED, "cory approved an earlier commit")


def test_an_approval_whose_commit_is_forgotten_does_not_count() -> None:
    assert said(CORY, pull(("cory", YES, ""))) == (Standing.NEEDED, "cory approved an earlier commit")
    forgotten = Reviewed(7, "", "mallory", (Review("cory", YES, ""),))
    assert told(CORY, forgotten).standing is Standing.NEEDED


@pytest.mark.parametrize(
    ("then", "says"), [(NO, "cory asked for changes"), (AWAY, "cory is to approve it")], ids=["changes", "dismissed"]
)
def test_a_later_no_or_a_dismissal_takes_an_approval_back(then: Stance, says: str) -> None:
    assert said(CORY, pull(("cory", YES), ("cory", then))) == (Standing.NEEDED, says)


def test_a_dismissed_no_does_not_bring_the_yes_before_it_back() -> None:
    assert told(CORY, pull(("cory", YES), ("cory", AWAY))).standing is Standing.NEEDED


def test_an_approval_after_a_no_counts() -> None:
    assert told(CORY, pull(("cory", NO, OLD), ("cory", YES))).standing is Standing.APPROVED


def test_a_no_of_an_earlier_commit_stands_until_it_is_taken_back() -> None:
    assert said(CORY, pull(("cory", NO, OLD))) == (Standing.NEEDED, "cory asked for changes")


def test_a_comment_is_neither_a_yes_nor_a_no() -> None:
    assert told(CORY, pull(("cory", SAYS))).standing is Standing.NEEDED
    assert told(CORY, pull(("cory", YES), ("cory", SAYS))).standing is Standing.APPROVED
    assert told(CORY, pull(("cory", NO), ("cory", SAYS))).standing is Standing.NEEDED


def test_a_review_of_an_account_that_is_gone_is_nobody_s() -> None:
    assert told(Owner("gone", ""), pull(("", YES))).standing is Standing.UNKNOWN


def test_the_author_s_own_approval_never_counts() -> None:
    found = told(CORY, pull(("cory", YES), author="Cory"))
    assert (found.standing, found.by) == (Standing.NEEDED, ())
    assert found.says == "Nathan-D or acme/Ads is to approve it, as cory has written the change"


def test_for_an_owner_who_wrote_the_change_another_owner_of_the_service_approves() -> None:
    found = told(CORY, pull(("nathan-d", YES), author="cory"))
    assert (found.standing, found.by) == (Standing.APPROVED, ("nathan-d",))


def test_who_answers_alone_for_a_service_cannot_approve_it_alone() -> None:
    alone = Concern(ServiceName("Svc"), Role.DEV, ("the version",), (CORY,), (CORY,), Where())
    (found,) = approvals([alone], pull(("cory", YES), ("mona", YES), author="cory"), {})
    assert (found.standing, found.says) == (
        Standing.NEEDED,
        "cory has written the change, and nobody else answers for it",
    )


def test_a_member_of_a_team_approves_for_it() -> None:
    members: dict[str, frozenset[str] | None] = {"acme/Ads": frozenset({"Mona", "eve"})}
    assert told(ADS, pull(("mona", YES)), members).standing is Standing.APPROVED
    assert told(ADS, pull(("cory", YES)), members).standing is Standing.NEEDED
    assert said(ADS, pull(("mona", YES), ("eve", NO)), members) == (Standing.NEEDED, "eve asked for changes")
    assert told(ADS, pull(("mona", YES), author="MONA"), members).standing is Standing.NEEDED


def test_of_a_team_whose_members_are_not_told_an_approval_is_not_known() -> None:
    untold: list[dict[str, frozenset[str] | None]] = [{}, {"acme/ads": None}]
    for members in untold:
        found = told(ADS, pull(("mona", YES), ("cory", NO)), members)
        assert (found.standing, found.by) == (Standing.UNKNOWN, ())
        assert found.says == "could not verify that mona is in acme/Ads"
        assert "members: read" in found.help


def test_where_nobody_at_all_has_approved_no_team_has() -> None:
    assert said(ADS, pull(("mona", YES, OLD), ("mallory", YES))) == (Standing.NEEDED, "acme/Ads is to approve it")


def test_an_empty_team_approves_nothing() -> None:
    assert told(ADS, pull(("mona", YES)), {"acme/ads": frozenset()}).standing is Standing.NEEDED


def test_an_owner_who_is_nobody_on_github_cannot_be_found_to_have_approved() -> None:
    assert said(Owner("zoe", ""), pull(("zoe", YES))) == (Standing.UNKNOWN, "nobody knows who zoe is on GitHub")


def test_the_teams_to_be_looked_up_are_those_of_owners_and_of_those_who_stand_in() -> None:
    assert len(teams([concern(CORY), concern(Owner("x", "ACME/ads"))])) == 1
    assert teams([concern(CORY)]) == ("acme/Ads",)


def test_one_owner_of_many_services_is_one_line() -> None:
    some = [concern(CORY, service=name, why=why) for name, why in (("A", "the version"), ("B", "the interfaces"))]
    (found,) = approvals([*some, concern(CORY, service="A")], pull(("cory", YES)), {})
    assert (found.services, found.why) == (("A", "B"), ("the version", "the interfaces"))


def test_what_is_missing_outweighs_what_cannot_be_told_and_that_what_is_there() -> None:
    yes, no, unknown = told(CORY, pull(("cory", YES))), told(CORY, pull()), told(Owner("zoe", ""), pull())
    assert standing([yes, no, unknown]) is Standing.NEEDED
    assert standing([yes, unknown]) is Standing.UNKNOWN
    assert standing([yes]) is Standing.APPROVED
    assert standing([]) is Standing.APPROVED
    assert headline([yes, no, unknown]) == "1 approval of owners still needed: dev cory"
    assert headline([yes, unknown]) == "1 approval of owners can't be told: dev zoe"
    assert headline([yes]) == "all whom the change concerns have approved it: dev cory"


def test_reviews_that_can_t_be_read_are_nobody_s_approval_and_nobody_s_lack_of_one() -> None:
    (found,) = unread([concern(CORY)], "GitHub is away", "Try again.")
    assert (found.standing, found.says, found.help) == (Standing.UNKNOWN, "GitHub is away", "Try again.")


def test_without_a_pull_request_nobody_has_approved() -> None:
    (found,) = missing([concern(CORY)], "there is none")
    assert (found.standing, found.says) == (Standing.NEEDED, "there is none")


def test_each_approval_that_is_not_there_is_a_finding_at_its_service() -> None:
    some = approvals([concern(CORY), concern(NATHAN, Role.OPS)], pull(("nathan-d", YES)), {})
    assert unreviewed(some) == (
        Finding(
            "unreviewed", Where("services.yml", 4, 3), "dev of Svc: cory is to approve it", "Ask cory for a review."
        ),
    )


def test_names_from_outside_are_told_harmlessly() -> None:
    found = told(Owner("zoe\n::error::", ""), pull())
    assert "\n" not in found.says
