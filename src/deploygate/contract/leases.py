"""What a driver must keep that writes leases on its hosts: inherit it instead of `HostsContract`, which it includes."""

from deploygate.contract.driven import ANOTHER, RUN, Driven, instances
from deploygate.contract.hosts import HostsContract
from deploygate.endings import Goal
from deploygate.names import RunId, Version


class LeasesContract(HostsContract):
    """The rules of leases, on top of all others."""

    def test_a_second_run_is_told_who_has_the_hosts(self, driven: Driven) -> None:
        holders = driven.claim(ANOTHER)
        assert {holder.run for holder in holders} == {RUN}
        assert {holder.rank for holder in holders} == {Goal.DEPLOY}
        assert driven.claim() == ()

    def test_a_run_may_claim_again_what_it_has(self, driven: Driven) -> None:
        assert driven.claim() == ()
        assert driven.claim() == ()

    def test_a_rollback_outranks_a_deploy_and_not_the_other_way_round(
        self, driven: Driven, versions: tuple[Version, Version]
    ) -> None:
        assert driven.claim(ANOTHER, Goal.ROLLBACK) == ()
        assert {holder.run for holder in driven.claim()} == {ANOTHER}
        assert {holder.run for holder in driven.claim(RunId("contract-3"), Goal.ROLLBACK)} == {ANOTHER}
        assert instances(driven.switch(versions[0])) == sorted(driven.names)
        assert driven.switch(versions[0], run=ANOTHER) == ()
        driven.switch(None, run=ANOTHER)
        driven.leave(ANOTHER)
        assert driven.claim() == ()

    def test_the_hosts_of_a_run_that_is_over_are_taken_from_it(self, driven: Driven) -> None:
        assert driven.claim(ANOTHER, over=[RunId("contract-3")]) != ()
        assert driven.claim(ANOTHER, over=[RUN]) == ()
        driven.leave(ANOTHER)
        assert driven.claim() == ()

    def test_without_the_lease_nothing_is_switched(self, driven: Driven, versions: tuple[Version, Version]) -> None:
        before = driven.started(versions[0])
        assert instances(driven.switch(versions[1], run=ANOTHER)) == sorted(driven.names)
        driven.leave()
        assert instances(driven.switch(versions[1])) == sorted(driven.names)
        assert driven.claim() == ()
        assert {name: driven.runs(versions[0], name) for name in driven.names} == before

    def test_a_run_that_has_lost_the_hosts_is_told_to_whom(
        self, driven: Driven, versions: tuple[Version, Version]
    ) -> None:
        assert driven.lost() == ""
        assert driven.claim(ANOTHER, Goal.ROLLBACK) == ()
        assert ANOTHER in driven.lost()
        assert [ANOTHER in trouble.by for trouble in driven.switch(versions[0])] == [True] * len(driven.names)
        assert driven.lost(ANOTHER) == ""
        driven.leave(ANOTHER)
        assert driven.lost()
        assert driven.claim() == ()

    def test_a_run_lets_go_of_its_own_lease_only(self, driven: Driven) -> None:
        driven.leave(ANOTHER)
        assert {holder.run for holder in driven.claim(ANOTHER)} == {RUN}
        driven.leave()
        driven.leave()
        assert driven.claim(ANOTHER) == ()
        driven.leave(ANOTHER)
        assert driven.claim() == ()
