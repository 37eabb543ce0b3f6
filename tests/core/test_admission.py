"""May a version be deployed, and may it come back? Held against every mixture of versions that can run."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from made import inventory, move, release, service
from mixtures import ASKED, Mixture, mixtures, services, truth

from deploygate.admission import Admission, Answer, admission, may_return
from deploygate.interfaces import Running, pairs
from deploygate.inventory import Interface, Service
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, InstanceName, ServiceName, Version
from deploygate.plan import Move

RANK = {Answer.NO: 0, Answer.CANNOT_TELL: 1, Answer.YES: 2}


def found(mixture: Mixture) -> Admission:
    return admission(mixture.inventory, mixture.service, mixture.version, mixture.moves, (mixture.running,))


def answers(mixture: Mixture) -> tuple[Answer, Answer]:
    told = found(mixture)
    return told.deploy.answer, told.rollback.answer


@given(mixtures())
@settings(max_examples=1_000)
def test_the_answer_is_what_holds_in_every_mixture_of_versions_that_can_run(mixture: Mixture) -> None:
    assert answers(mixture) == truth(mixture)


@given(mixtures(), st.sampled_from(["A", "B", "C"]), st.sampled_from(["any", "1", "2"]), st.data())
@settings(max_examples=500)
def test_a_version_more_of_what_is_provided_never_makes_an_answer_worse(
    mixture: Mixture, name: str, which: str, data: st.DataObject
) -> None:
    changed = mixture.inventory.services[ServiceName(name)]
    every = changed.provides.union(*(one.provides for one in changed.releases.values()))
    if not every:
        return
    more = Interface(data.draw(st.sampled_from(sorted({one.name for one in every}))), data.draw(st.sampled_from("123")))
    richer = mixture.with_service(_with(changed, which, more))
    for before, after in zip(answers(mixture), answers(richer), strict=True):
        assert RANK[after] >= RANK[before]


def _with(one: Service, which: str, more: Interface) -> Service:
    if which == "any":
        return replace(one, provides=one.provides | {more})
    listed = one.releases.get(Version(which))
    if listed is None:
        return one
    richer = replace(listed, provides=listed.provides | {more})
    return replace(one, releases={**one.releases, listed.version: richer})


@given(services("A"), services("B"), st.sampled_from("129"), st.sampled_from("129"))
@settings(max_examples=300)
def test_two_services_fit_beside_each_other_or_do_not_whichever_is_asked(
    a: Service, b: Service, ours: str, theirs: str
) -> None:
    both = inventory(a, b)
    one = pairs(both, a, Version(ours), Running(PRODUCTION, {b.name: frozenset({Version(theirs)})}))
    other = pairs(both, b, Version(theirs), Running(PRODUCTION, {a.name: frozenset({Version(ours)})}))
    assert [pair.fits for pair in one] == [pair.fits for pair in other]
    assert [(pair.lost, pair.missing) for pair in one] == [(pair.missing, pair.lost) for pair in other]


@given(mixtures())
@settings(max_examples=300)
def test_the_way_back_is_a_deploy_the_other_way_round(mixture: Mixture) -> None:
    was = mixture.moves[0].was
    if was is None or was == mixture.version:
        return
    there = tuple(replaced(one, to=mixture.version, was=was) for one in mixture.moves)
    back = tuple(replaced(one, to=was, was=mixture.version) for one in mixture.moves)
    single = {one.name: PRODUCTION for one in mixture.service.instances[:1]}
    alone = replace(mixture.service, instances=mixture.service.instances[: len(single)])
    forth = admission(mixture.inventory, alone, mixture.version, there[:1], (mixture.running,))
    turned = admission(mixture.inventory, alone, was, back[:1], (mixture.running,))
    assert forth.rollback == turned.deploy
    assert turned.rollback == forth.deploy


def replaced(one: Move, to: Version, was: Version) -> Move:
    return Move(one.instance, one.environment, to, was)


@given(mixtures())
@settings(max_examples=300)
def test_who_is_silent_never_makes_it_a_no(mixture: Mixture) -> None:
    names = [name for name in mixture.inventory.services if name != ASKED]
    quiet = replace(mixture, running=Running(PRODUCTION, {name: frozenset() for name in names}))
    alone = replace(mixture, running=Running(PRODUCTION, {}), inventory=inventory(mixture.service))
    if answers(alone) == (Answer.YES, Answer.YES):
        assert Answer.NO not in answers(quiet)


# What is said


PEER = service(
    "Peer",
    provides=("gossip 1", "gossip 2"),
    consumes=("gossip 1",),
    wanted=Version("1.5"),
    releases=(
        release("1.0", provides=("gossip 1",), consumes=("gossip 1",)),
        release("2.0", provides=("gossip 2",), consumes=("gossip 2",)),
    ),
)


def of_peer(version: str, was: str, of: Service = PEER) -> Admission:
    moves = tuple(Move(one.name, one.environment, Version(version), Version(was)) for one in of.within(PRODUCTION))
    return admission(inventory(of), of, Version(version), moves, ())


def test_during_the_roll_the_old_and_the_new_instances_of_a_service_are_neighbours() -> None:
    told = of_peer("2.0", "1.0")
    assert [one.says for one in told.against] == [
        "Peer 2.0 does not provide gossip 1, which Peer 1.0 consumes in production",
        "Peer 2.0 consumes gossip 2, which Peer 1.0 in production lacks",
    ]
    assert (told.deploy.answer, told.rollback.answer) == (Answer.NO, Answer.NO)
    assert of_peer("1.5", "1.0").against == ()


def test_a_single_instance_never_meets_its_own_other_version() -> None:
    assert of_peer("2.0", "1.0", replace(PEER, instances=PEER.within(PRODUCTION)[:1])).against == ()


def test_what_another_service_offers_is_not_had_from_ones_own_instances() -> None:
    other = service("Other", provides=("gossip 1", "gossip 2"))
    moves = (move("i1", Version("1.0"), Version("2.0")),)
    told = admission(inventory(PEER, other), PEER, Version("2.0"), moves, ())
    assert told.against == ()


CASTER = service("Caster", provides=("ads 1",), releases=(release("2.0", provides=("ads 2",)),))
CALLER = service("Caller", consumes=("ads 1",), releases=(release("2.0", consumes=("ads 2",)),))
BOTH = inventory(CASTER, CALLER)


def of_caster(*running: Running, version: str = "2.0", was: str | None = "1.0", place: str = "i1") -> Admission:
    moves = (move(place, Version(was) if was else None, Version(version)),)
    return admission(BOTH, CASTER, Version(version), moves, running)


def caller(*versions: str, silent: bool = False, environment: str = PRODUCTION) -> Running:
    here = PARALLEL_CHAIN if environment == PARALLEL_CHAIN else PRODUCTION
    name = ServiceName("Caller")
    return Running(here, {name: frozenset(map(Version, versions))}, frozenset({name} if silent else ()))


def test_a_neighbour_in_the_middle_of_its_own_roll_must_fit_with_both_versions() -> None:
    told = of_caster(caller("1.0", "2.0"))
    assert (told.deploy.answer, told.rollback.answer) == (Answer.NO, Answer.NO)
    assert [one.says for one in told.deploy.against] == [
        "Caster 2.0 does not provide ads 1, which Caller 1.0 consumes in production"
    ]
    assert [one.says for one in told.rollback.against] == [
        "Caster 1.0 does not provide ads 2, which Caller 2.0 consumes in production"
    ]


def test_only_what_runs_where_the_deploy_goes_counts() -> None:
    elsewhere = caller("1.0", environment=PARALLEL_CHAIN)
    assert of_caster(elsewhere, caller("2.0")).deploy.answer is Answer.YES
    assert of_caster(elsewhere, caller("2.0"), place="p1").deploy.answer is Answer.NO


def test_a_neighbour_that_does_not_answer_leaves_it_open_and_is_named_with_what_would_not_fit() -> None:
    told = of_caster(caller())
    assert (told.deploy.answer, told.rollback.answer) == (Answer.CANNOT_TELL, Answer.CANNOT_TELL)
    assert [(one.rule, one.says) for one in told.doubts] == [
        (
            "interface-unknown",
            (
                "what Caller runs in production is not known, and beside Caster 2.0 not all its releases fit:"
                " 1.0 consumes ads 1"
            ),
        ),
        (
            "interface-unknown",
            (
                "what Caller runs in production is not known, and beside Caster 1.0 not all its releases fit:"
                " 2.0 consumes ads 2"
            ),
        ),
    ]


def test_one_instance_that_does_not_answer_is_enough_to_leave_it_open() -> None:
    assert of_caster(caller("2.0")).deploy.answer is Answer.YES
    assert of_caster(caller("2.0", silent=True)).deploy.answer is Answer.CANNOT_TELL


def test_a_neighbour_that_fits_in_all_its_releases_need_not_answer() -> None:
    generous = service("Caster", provides=("ads 1", "ads 2"))
    moves = (move("i1", Version("1.0"), Version("2.0")),)
    told = admission(inventory(generous, CALLER), generous, Version("2.0"), moves, (caller(),))
    assert (told.deploy.answer, told.rollback.answer) == (Answer.YES, Answer.YES)


def test_an_instance_of_which_nobody_knows_what_it_ran_leaves_the_way_back_open() -> None:
    told = of_caster(caller("2.0"), was=None)
    assert (told.deploy.answer, told.rollback.answer) == (Answer.YES, Answer.CANNOT_TELL)
    assert [one.says for one in told.rollback.doubts] == ["what i1 in production would go back to is not known"]


def test_to_meet_its_peers_is_no_reason_for_a_rollback_to_wait() -> None:
    moves = (move("i1", Version("1.0"), Version("2.0")),)
    assert may_return(inventory(PEER), PEER, moves, ()).answer is Answer.YES


def test_nothing_that_moves_is_nothing_that_clashes() -> None:
    told = admission(BOTH, CASTER, Version("2.0"), (), (caller("1.0"),))
    assert (told.deploy.answer, told.rollback.answer, told.pairs) == (Answer.YES, Answer.YES, ())


def test_the_instances_without_a_way_back_are_counted_up_to_four() -> None:
    moves = tuple(Move(InstanceName(f"i{number}"), PRODUCTION, Version("2.0")) for number in range(6))
    told = admission(BOTH, CASTER, Version("2.0"), moves, (caller("2.0"),))
    assert told.rollback.doubts[0].says == "what i0, i1, i2, i3 and others in production would go back to is not known"
