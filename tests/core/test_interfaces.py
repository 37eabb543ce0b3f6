"""May this version run beside these neighbours? Each single instance must give what is consumed."""

from made import inventory, release, service

from deploygate.findings import Finding
from deploygate.interfaces import Running, clashes, neighbours
from deploygate.inventory import Inventory, Service
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, ServiceName, Version

CASTER = service(
    "Caster",
    provides=("ads 1", "ads 2"),
    consumes=("query 7",),
    releases=(release("3.0", provides=("ads 2",), consumes=("query 8",)),),
)
CALLER = service("Caller", consumes=("ads 1",), releases=(release("2.0", consumes=("ads 2",)),))
STORE = service("Store", provides=("query 7",), releases=(release("8.0", provides=("query 7", "query 8")),))
LONER = service("Loner", provides=("stars 1",))
ALL = inventory(CASTER, CALLER, STORE, LONER)


def running(**versions: str) -> Running:
    """Return what runs in production; several versions are written with a comma between."""
    found = {
        ServiceName(one): frozenset(map(Version, text.split(",") if text else ())) for one, text in versions.items()
    }
    return Running(PRODUCTION, found)


def complaints(version: str, beside: Running, of: Service = CASTER, within: Inventory = ALL) -> list[tuple[str, str]]:
    return [(one.rule, one.says) for one in clashes(within, of, Version(version), beside)]


def lost(interface: str, by: str, version: str = "3.0") -> tuple[str, str]:
    return "interface-lost", f"Caster {version} does not provide {interface}, which {by} consumes in production"


def test_neighbours_share_an_interface_in_any_listed_version() -> None:
    assert neighbours(ALL, CASTER) == ("Caller", "Store")
    assert neighbours(ALL, STORE) == ("Caster",)
    assert neighbours(ALL, LONER) == ()


def test_a_version_that_gives_and_finds_all_fits() -> None:
    assert complaints("1.0", running(Caller="1.0", Store="1.0")) == []
    assert complaints("3.0", running(Caller="2.0", Store="8.0")) == []


def test_a_running_neighbour_that_loses_an_interface_is_named() -> None:
    assert clashes(ALL, CASTER, Version("3.0"), running(Caller="1.0", Store="8.0")) == (
        Finding(
            "interface-lost",
            CASTER.where,
            "Caster 3.0 does not provide ads 1, which Caller 1.0 consumes in production",
            "Deploy a Caller that does without it first, or keep it in 3.0.",
        ),
    )


def test_a_provider_that_lacks_an_interface_is_named() -> None:
    assert clashes(ALL, CASTER, Version("3.0"), running(Caller="2.0", Store="1.0")) == (
        Finding(
            "interface-missing",
            CASTER.where,
            "Caster 3.0 consumes query 8, which Store 1.0 in production lacks",
            "Deploy a provider of query 8 first.",
        ),
    )


def test_all_clashes_are_told_at_once() -> None:
    rules = [rule for rule, _ in complaints("3.0", running(Caller="1.0", Store="1.0"))]
    assert rules == ["interface-lost", "interface-missing"]


def test_a_neighbour_in_the_middle_of_its_roll_counts_with_both_versions() -> None:
    assert complaints("3.0", running(Caller="1.0,2.0", Store="8.0")) == [lost("ads 1", "Caller 1.0")]
    missing = ("interface-missing", "Caster 3.0 consumes query 8, which Store 1.0 in production lacks")
    assert complaints("3.0", running(Caller="2.0", Store="1.0,8.0")) == [missing]


def test_a_neighbour_that_does_not_answer_refuses_nothing() -> None:
    assert complaints("3.0", running(Caller="", Store="")) == []
    assert complaints("3.0", running()) == []


def test_a_version_that_nobody_listed_is_what_its_service_says() -> None:
    assert complaints("9.9", running(Caller="7.7", Store="7.7")) == []


def test_what_no_service_gives_is_no_matter_of_this_rule() -> None:
    alone = service("Alone", consumes=("moon 1",))
    assert complaints("1.0", running(), alone, inventory(alone)) == []


def test_an_interface_that_the_service_never_gave_is_not_lost_by_it() -> None:
    other = service("Other", consumes=("stars 1",))
    assert complaints("1.0", running(Other="1.0"), CASTER, inventory(CASTER, other, LONER)) == []


def test_two_that_consume_each_other_are_checked_both_ways() -> None:
    a = service(
        "A", provides=("x 1",), consumes=("y 1",), releases=(release("2", provides=("x 2",), consumes=("y 2",)),)
    )
    b = service(
        "B", provides=("y 1",), consumes=("x 1",), releases=(release("2", provides=("y 2",), consumes=("x 2",)),)
    )
    both = inventory(a, b)
    assert neighbours(both, a) == ("B",)
    assert complaints("1", running(B="1"), a, both) == []
    assert complaints("2", running(B="2"), a, both) == []
    assert [rule for rule, _ in complaints("2", running(B="1"), a, both)] == ["interface-lost", "interface-missing"]


def test_of_several_providers_each_must_give_it() -> None:
    other = service("OtherStore", provides=("query 7", "query 8"))
    three = inventory(CASTER, STORE, other)
    assert complaints("3.0", running(Store="8.0", OtherStore="1"), CASTER, three) == []
    assert complaints("3.0", running(Store="1.0", OtherStore="1"), CASTER, three) == [
        ("interface-missing", "Caster 3.0 consumes query 8, which Store 1.0 in production lacks")
    ]


def test_the_environment_is_named() -> None:
    beside = Running(PARALLEL_CHAIN, {ServiceName("Caller"): frozenset({Version("1.0")})})
    assert complaints("3.0", beside)[0][1].endswith("consumes in parallel-chain")


def test_what_unlisted_versions_give_counts_though_the_wanted_version_is_listed() -> None:
    caster = service("Caster", provides=("ads 1",), wanted=Version("1.0"), releases=(release("1.0"),))
    both = inventory(caster, CALLER)
    assert neighbours(both, caster) == ("Caller",)
    assert complaints("1.0", running(Caller="1.0"), caster, both) == [lost("ads 1", "Caller 1.0", "1.0")]
