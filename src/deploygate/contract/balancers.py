"""What every balancer must keep: inherit `BalancerContract`, give the fixtures, and pytest does the rest."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import pytest

from deploygate.contract.driven import STRANGER, instances
from deploygate.events import Trouble
from deploygate.inventory import Instance, Service
from deploygate.names import InstanceName
from deploygate.ports import Balancer, Telling

Served = Callable[[], Collection[InstanceName]]


class BalancerContract:
    """The rules of a balancer.

    An author gives the fixtures `balancer` and `service`; `served` and `busy` where there are real connections to
    look at. Each test begins with all instances in service.
    """

    tells = True  # False: the balancer can't say who is in service; then `served` must be given
    patience = 2.0  # seconds that a drain is given in these tests
    fuse = 60.0  # seconds after which a call counts as one that never returns

    @pytest.fixture
    def balancer(self) -> Balancer:
        """The balancer."""
        raise NotImplementedError("give a fixture `balancer` that returns the balancer")

    @pytest.fixture
    def service(self) -> Service:
        """A service of at least two instances behind the balancer, all of them in service."""
        raise NotImplementedError("give a fixture `service` that returns a service with two instances or more")

    @pytest.fixture
    def served(self) -> Served | None:
        """Who gets traffic, found out without the balancer's own word, where that can be."""
        return None

    @pytest.fixture
    def busy(self) -> Callable[[Instance], AbstractContextManager[object]]:
        """A way to hold a connection to an instance through the balancer, where there are connections."""
        return lambda _instance: nullcontext()

    @pytest.fixture
    def begun(self, balancer: Balancer, service: Service) -> Iterator[Sequence[Instance]]:
        """The instances, which are all in service, before a test and after it."""
        assert len(service.instances) >= 2, "the contract needs two instances or more"
        assert balancer.restore(service, service.instances) == ()
        yield service.instances
        assert balancer.restore(service, service.instances) == ()

    @pytest.fixture
    def says(
        self, balancer: Balancer, service: Service, begun: Sequence[Instance], served: Served | None
    ) -> Callable[..., None]:
        """Hold who is in service against who should be: as the balancer says, and as it really is."""
        assert self.tells or served, "a balancer that can't tell who is in service needs the fixture `served`"
        patience, names = self.patience, {one.name for one in begun}

        def check(*out: Instance) -> None:
            expected = names - {one.name for one in out}
            if self.tells:
                told = balancer.in_service(service, begun)
                assert dict(told) == {name: name in expected for name in names}
            if served is not None:
                end = time.monotonic() + patience
                while (found := set(served())) != expected and time.monotonic() < end:
                    time.sleep(0.02)
                assert found == expected

        return check

    def test_all_are_in_service_at_first(self, says: Callable[..., None]) -> None:
        says()

    def test_what_is_drained_is_out_of_service_and_the_others_are_not(
        self, balancer: Balancer, service: Service, begun: Sequence[Instance], says: Callable[..., None]
    ) -> None:
        assert self._drain(balancer, service, begun[0]) == ()
        says(begun[0])

    def test_what_is_restored_is_in_service_again(
        self, balancer: Balancer, service: Service, begun: Sequence[Instance], says: Callable[..., None]
    ) -> None:
        assert self._drain(balancer, service, begun[0]) == ()
        assert balancer.restore(service, begun[:1]) == ()
        says()

    def test_each_instance_can_be_taken_out(
        self, balancer: Balancer, service: Service, begun: Sequence[Instance], says: Callable[..., None]
    ) -> None:
        for one in begun:
            assert self._drain(balancer, service, one) == ()
            says(one)
            assert balancer.restore(service, [one]) == ()

    def test_several_are_taken_out_and_put_back_at_once(
        self, balancer: Balancer, service: Service, begun: Sequence[Instance], says: Callable[..., None]
    ) -> None:
        out = begun[:-1]
        assert self._drain(balancer, service, *out) == ()
        says(*out)
        assert balancer.restore(service, out) == ()
        says()

    def test_each_may_be_done_twice(
        self, balancer: Balancer, service: Service, begun: Sequence[Instance], says: Callable[..., None]
    ) -> None:
        for _ in range(2):
            assert self._drain(balancer, service, begun[0]) == ()
            says(begun[0])
        for _ in range(2):
            assert balancer.restore(service, begun[:1]) == ()
            says()

    def test_one_stays_out_while_another_comes_and_goes(
        self, balancer: Balancer, service: Service, begun: Sequence[Instance], says: Callable[..., None]
    ) -> None:
        first, second, *_ = begun
        if len(begun) == 2:
            pytest.skip("it takes three instances to show this")
        assert self._drain(balancer, service, first) == ()
        assert self._drain(balancer, service, second) == ()
        assert balancer.restore(service, [second]) == ()
        says(first)

    @pytest.mark.parametrize("patience", [0.0, 0.5])
    def test_a_connection_that_stays_is_waited_for_no_longer_than_the_patience(
        self,
        balancer: Balancer,
        service: Service,
        begun: Sequence[Instance],
        says: Callable[..., None],
        busy: Callable[[Instance], AbstractContextManager[object]],
        patience: float,
    ) -> None:
        with busy(begun[0]):
            assert self._drain(balancer, service, begun[0], patience=patience) == ()
        says(begun[0])

    def test_an_instance_that_it_does_not_know_is_a_trouble_and_keeps_no_other_from_its_turn(
        self, balancer: Balancer, service: Service, begun: Sequence[Instance], says: Callable[..., None]
    ) -> None:
        stranger = Instance(STRANGER, begun[0].environment, "http://127.255.255.254:9")
        assert instances(self._drain(balancer, service, stranger, begun[0])) == [STRANGER]
        says(begun[0])
        assert instances(balancer.restore(service, [stranger, begun[0]])) == [STRANGER]
        says()
        assert balancer.in_service(service, [stranger]).get(STRANGER) is not True

    def test_it_tells_whom_a_gate_has_taken_out_where_it_tells_that_at_all(
        self, balancer: Balancer, service: Service, begun: Sequence[Instance]
    ) -> None:
        if not isinstance(balancer, Telling):
            return  # then journals and records are all that the gate goes by
        assert balancer.drained(service, begun) == frozenset()
        assert self._drain(balancer, service, begun[0]) == ()
        assert balancer.drained(service, begun) == {begun[0].name}
        assert balancer.drained(service, begun[1:]) == frozenset()
        assert balancer.restore(service, begun[:1]) == ()
        assert balancer.drained(service, begun) == frozenset()

    def test_asked_for_nothing_it_does_nothing(
        self, balancer: Balancer, service: Service, says: Callable[..., None]
    ) -> None:
        assert self._drain(balancer, service) == ()
        assert balancer.restore(service, ()) == ()
        assert dict(balancer.in_service(service, ())) == {}
        says()

    def _drain(
        self, balancer: Balancer, service: Service, *out: Instance, patience: float | None = None
    ) -> tuple[Trouble, ...]:
        """Drain instances, and fail where that never returns."""
        came: list[tuple[Trouble, ...] | Exception] = []
        wait = self.patience if patience is None else patience

        def drain() -> None:
            try:
                came.append(balancer.drain(service, out, wait))
            except Exception as error:  # noqa: BLE001 - it is raised again, where the test can see it
                came.append(error)

        work = threading.Thread(target=drain, daemon=True)
        work.start()
        work.join(wait + self.fuse)
        assert came, f"a drain with a patience of {wait:g} s did not return within {self.fuse:g} s more"
        if isinstance(came[0], Exception):
            raise came[0]
        return came[0]
