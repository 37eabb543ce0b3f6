"""What every driver must keep: inherit `HostsContract`, give the fixtures, and pytest does the rest."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from deploygate.contract.driven import STRANGER, Driven, Seen, instances
from deploygate.events import Change, Start
from deploygate.inventory import Instance, Service
from deploygate.names import Version
from deploygate.ports import Hosts, Process
from deploygate.ways import Workflow


class HostsContract:
    """The rules of a driver.

    An author gives the fixtures `hosts` and `service`, and, where they differ, `versions`, `missing`, `seen` and
    `lose`. Each test begins with nothing running, and stops all that it started.
    """

    proves = True  # False: the driver can't show beforehand that a release is there, and its users are told so
    patience = 10.0  # seconds for what a driver may do in its own time, such as noticing that a process is gone

    @pytest.fixture
    def hosts(self) -> Hosts:
        """The driver."""
        raise NotImplementedError("give a fixture `hosts` that returns the driver")

    @pytest.fixture
    def service(self) -> Service:
        """A service of at least two instances that the driver can deploy, of which nothing runs yet."""
        raise NotImplementedError("give a fixture `service` that returns a service with two instances or more")

    @pytest.fixture
    def versions(self) -> tuple[Version, Version]:
        """Two versions that can be staged and started."""
        return Version("1.0"), Version("2.0")

    @pytest.fixture
    def missing(self) -> Version:
        """A version that there is not: it can't be staged, nor started."""
        return Version("0.0-missing")

    @pytest.fixture
    def seen(self) -> Seen | None:
        """The version that an instance really runs (None: nothing), found out without the driver, where that can be."""
        return None

    @pytest.fixture
    def lose(self) -> Callable[[Instance], None] | None:
        """A way to kill the process of an instance behind the driver's back, where there is one."""
        return None

    @pytest.fixture
    def driven(
        self, hosts: Hosts, service: Service, versions: tuple[Version, Version], seen: Seen | None
    ) -> Iterator[Driven]:
        """The driver, with the lease, both versions staged, and nothing running."""
        assert len(service.instances) >= 2, "the contract needs two instances or more"
        driven = Driven(hosts, service, self.patience, seen)
        assert driven.claim() == ()
        try:
            assert driven.stage(*versions) == ()
            yield driven
        finally:
            hosts.switch(service, [Change(name, None, None) for name in driven.names], driven.run)
            driven.leave()

    def test_nothing_lives_before_it_was_started(self, driven: Driven) -> None:
        assert [name for name in driven.names if driven.process(name).alive] == []
        driven.really(None, *driven.names)

    def test_staging_again_does_no_harm_to_what_runs(self, driven: Driven, versions: tuple[Version, Version]) -> None:
        before = driven.started(versions[0])
        assert driven.stage(*versions) == ()
        assert driven.stage(*reversed(versions)) == ()
        assert {name: driven.runs(versions[0], name) for name in driven.names} == before

    def test_what_was_staged_is_proven_before_and_after_it_runs(
        self, driven: Driven, versions: tuple[Version, Version]
    ) -> None:
        assert driven.prove(*versions) == ()
        before = driven.started(versions[0])
        assert driven.prove(*versions) == ()
        assert driven.prove(*versions, unchanged=False) == ()
        assert {name: driven.runs(versions[0], name) for name in driven.names} == before

    @pytest.mark.parametrize("unchanged", [True, False])
    def test_a_release_that_is_not_there_is_found_out_on_each_instance(
        self, driven: Driven, versions: tuple[Version, Version], missing: Version, *, unchanged: bool
    ) -> None:
        if not self.proves:
            pytest.skip("the driver says that it proves nothing")
        first, *others = driven.names
        wanted = [Start(first, versions[0]), *(Start(name, missing) for name in others)]
        assert instances(driven.hosts.prove(driven.service, wanted, unchanged=unchanged)) == sorted(others)

    def test_a_release_that_there_is_not_can_not_be_staged_and_started(self, driven: Driven, missing: Version) -> None:
        troubles = driven.stage(missing) or driven.switch(missing)
        assert instances(troubles) == sorted(driven.names)
        assert all(trouble.says for trouble in troubles)

    def test_a_switch_starts_the_version_that_was_asked_for(
        self, driven: Driven, versions: tuple[Version, Version]
    ) -> None:
        first, *others = driven.names
        driven.started(versions[0], first)
        driven.started(versions[1], first)
        assert [name for name in others if driven.process(name).alive] == []

    def test_each_start_is_another_process(self, driven: Driven, versions: tuple[Version, Version]) -> None:
        first = driven.names[0]
        one, two = versions
        seen = [driven.started(version, first)[first] for version in (one, one, two, two, one)]
        assert len(set(seen)) == len(seen)

    def test_no_two_instances_share_a_process(self, driven: Driven, versions: tuple[Version, Version]) -> None:
        assert len(set(driven.started(versions[0]).values())) == len(driven.names)

    def test_a_process_keeps_its_identity_while_it_lives(
        self, driven: Driven, versions: tuple[Version, Version]
    ) -> None:
        first, second, *_ = driven.names
        before = driven.started(versions[0], first)[first]
        driven.started(versions[1], second)
        assert driven.runs(versions[0], first) == before

    def test_instances_that_change_at_once_all_change(self, driven: Driven, versions: tuple[Version, Version]) -> None:
        before = driven.started(versions[0])
        after = driven.started(versions[1])
        assert [name for name in driven.names if before[name] == after[name]] == []

    def test_the_way_back_is_a_switch_like_any_other(self, driven: Driven, versions: tuple[Version, Version]) -> None:
        one, two = versions
        for version in (one, two, one):
            driven.started(version)

    def test_keep_leaves_a_living_process_of_that_release_alone(
        self, driven: Driven, versions: tuple[Version, Version]
    ) -> None:
        before = driven.started(versions[0])
        assert driven.switch(versions[0], keep=True) == ()
        assert {name: driven.runs(versions[0], name) for name in driven.names} == before

    def test_keep_replaces_another_release(self, driven: Driven, versions: tuple[Version, Version]) -> None:
        driven.started(versions[1])
        assert driven.switch(versions[0], keep=True) == ()
        assert [bool(driven.runs(versions[0], name)) for name in driven.names] == [True] * len(driven.names)

    def test_keep_starts_what_does_not_run(self, driven: Driven, versions: tuple[Version, Version]) -> None:
        first = driven.names[0]
        driven.started(versions[0], first)
        assert driven.switch(None, first) == ()
        assert driven.switch(versions[0], first, keep=True) == ()
        assert driven.runs(versions[0], first)

    def test_one_that_can_not_be_started_is_a_trouble_of_its_own(
        self, driven: Driven, versions: tuple[Version, Version], missing: Version
    ) -> None:
        first, second, *_ = driven.names
        driven.started(versions[0], first, second)
        changes = [Change(first, versions[0], missing), Change(second, versions[0], versions[1])]
        assert instances(driven.hosts.switch(driven.service, changes, driven.run)) == [first]
        assert driven.runs(versions[1], second)

    def test_after_a_trouble_the_way_back_is_open(
        self, driven: Driven, versions: tuple[Version, Version], missing: Version
    ) -> None:
        first = driven.names[0]
        driven.started(versions[0], first)
        assert instances(driven.switch(missing, first)) == [first]
        assert driven.process(first).release != missing or driven.process(first).alive is not True
        driven.started(versions[0], first)

    def test_what_is_stopped_for_good_stays_so_and_may_be_stopped_again(
        self, driven: Driven, versions: tuple[Version, Version]
    ) -> None:
        first, second, *_ = driven.names
        driven.started(versions[0], first, second)
        for _ in range(2):
            assert driven.switch(None, first) == ()
            assert driven.settled(first, alive=False).alive is False
            driven.really(None, first)
        assert driven.runs(versions[0], second)

    def test_a_process_that_was_lost_is_missed_and_can_be_started_again(
        self, driven: Driven, versions: tuple[Version, Version], lose: Callable[[Instance], None] | None
    ) -> None:
        if lose is None:
            pytest.skip("there is no fixture `lose`")
        first = driven.names[0]
        before = driven.started(versions[0], first)[first]
        lose(driven.instance(first))
        now = driven.settled(first, alive=False)
        assert (now.alive, now.identity) == (False, None)
        assert driven.switch(versions[0], first, keep=True) == ()
        assert driven.runs(versions[0], first) != before

    def test_a_service_that_named_its_process_is_not_contradicted(
        self, driven: Driven, versions: tuple[Version, Version]
    ) -> None:
        identity = driven.started(versions[0])
        for name in driven.names:
            now = driven.process(name, answered=True)
            whole = Process(alive=True, release=versions[0], identity=identity[name])
            said = {key: value for key in ("alive", "release", "identity") if (value := getattr(now, key)) is not None}
            assert said.items() <= {key: getattr(whole, key) for key in ("alive", "release", "identity")}.items()

    def test_pruning_never_removes_what_runs(self, driven: Driven, versions: tuple[Version, Version]) -> None:
        driven.started(versions[0])
        assert versions[0] not in self._prune(driven)
        driven.started(versions[0])

    def test_pruning_never_removes_what_is_protected(self, driven: Driven, versions: tuple[Version, Version]) -> None:
        driven.started(versions[0])
        assert self._prune(driven, *versions) == ()
        assert driven.prove(*versions) == ()
        driven.started(versions[1])

    def test_nothing_is_changed_for_an_instance_that_there_is_not(
        self, driven: Driven, versions: tuple[Version, Version]
    ) -> None:
        before = driven.started(versions[0])
        try:
            troubles = driven.hosts.switch(driven.service, [Change(STRANGER, None, versions[1])], driven.run)
        except Exception:  # noqa: BLE001 - the gate never asks for this; but it must not look as if it had been done
            troubles = ()
        else:
            assert instances(troubles) == [STRANGER]
        assert {name: driven.runs(versions[0], name) for name in driven.names} == before

    def test_asked_for_nothing_it_does_nothing(self, driven: Driven, versions: tuple[Version, Version]) -> None:
        before = driven.started(versions[0])
        hosts, service = driven.hosts, driven.service
        assert hosts.stage(service, ()) == ()
        assert hosts.prove(service, (), unchanged=True) == ()
        assert hosts.switch(service, (), driven.run) == ()
        assert hosts.prune(service, (), ()) == ()
        assert {name: driven.runs(versions[0], name) for name in driven.names} == before

    def _prune(self, driven: Driven, *protect: Version) -> tuple[Version, ...]:
        """Prune as if one release might stay."""
        way = driven.service.deploy
        strict = driven.service if isinstance(way, Workflow) else replace(driven.service, deploy=replace(way, keep=1))
        return tuple(driven.hosts.prune(strict, driven.names, protect))
