"""A plug-in is found by its entry point, loaded when it is named, and if it does not work its package is named."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made import NEW
from made import service as made_service

from deploygate.adapters.plugins import balancer_named, driver_named
from deploygate.endings import Ending, Goal
from deploygate.errors import GateError
from deploygate.events import Change, Start, Trouble
from deploygate.names import RunId
from deploygate.ports import Lease
from deploygate.ways import Plugin

WHOLE = """
class Whole:
    def __init__(self, settings, folder): self.settings, self.folder = settings, folder
    def claim(self, service, instances, lease, over): return ()
    def leave(self, service, instances, run): return None
    def lost(self, service, instances, run): return ""
    def stage(self, service, releases): return ()
    def prove(self, service, releases, *, unchanged): return ()
    def switch(self, service, changes, run): return ()
    def process(self, service, instance, *, answered): return None
    def prune(self, service, instances, protect): return ()
    def drain(self, service, instances, patience): return ()
    def restore(self, service, instances): return ()
    def in_service(self, service, instances): return {}
"""
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package with one module and its entry points, as pip would lay it out."""

    def lay_out(package: str, module: str, text: str, group: str = "drivers", **points: str) -> None:
        site = tmp_path / "site"
        about = site / f"{package}-1.2.dist-info"
        about.mkdir(parents=True)
        (site / f"{module}.py").write_text(text)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        lines = [f"{name} = {module}:{value}" for name, value in points.items()]
        (about / "entry_points.txt").write_text("\n".join([f"[deploygate.{group}]", *lines]))
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, module, raising=False)

    return lay_out


def refused(name: str, folder: Path) -> GateError:
    """Return how a driver that is named is refused."""
    with pytest.raises(GateError) as raised:
        driver_named(Plugin(name), folder)
    assert raised.value.ending is Ending.INVENTORY_ERROR
    assert raised.value.help
    return raised.value


def test_a_driver_gets_its_settings_and_the_folder(install: Install, tmp_path: Path) -> None:
    install("nomadic", "nomadic_1", WHOLE, nomad="Whole")
    made = driver_named(Plugin("nomad", {"region": "eu"}), tmp_path)
    assert vars(made.made) == {"settings": {"region": "eu"}, "folder": tmp_path}


def test_drivers_and_balancers_are_told_apart(install: Install, tmp_path: Path) -> None:
    install("pool", "pool_1", WHOLE, group="balancers", pool="Whole")
    made = balancer_named(Plugin("pool", {"a": 1}), tmp_path).made
    assert vars(made) == {"settings": {"a": 1}, "folder": tmp_path}
    assert refused("pool", tmp_path).says == 'no driver called "pool" is installed; installed: none'


def test_an_unknown_name_is_told_what_is_installed(install: Install, tmp_path: Path) -> None:
    install("nomadic", "nomadic_2", WHOLE, nomad="Whole", mesos="Whole")
    error = refused("nomda", tmp_path)
    assert error.says == ('no driver called "nomda" is installed; installed: mesos (nomadic 1.2), nomad (nomadic 1.2)')
    assert '"nomda" in the group deploygate.drivers' in error.help


def test_a_plug_in_that_is_not_named_is_not_loaded(install: Install, tmp_path: Path) -> None:
    install("nomadic", "nomadic_3", WHOLE, nomad="Whole")
    install("costly", "costly_3", "raise AssertionError('loaded')", costly="Whole")
    driver_named(Plugin("nomad"), tmp_path)
    assert "costly_3" not in sys.modules


def test_a_name_that_two_packages_bring_is_refused(install: Install, tmp_path: Path) -> None:
    install("one", "one_4", WHOLE, nomad="Whole")
    install("two", "two_4", WHOLE, nomad="Whole")
    assert refused("nomad", tmp_path).says == 'more than one driver is called "nomad": one 1.2 and two 1.2 bring one'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import no_such_module", "could not be set up: ModuleNotFoundError: No module named 'no_such_module'"),
        ("Other = 1", "could not be set up: AttributeError: module 'broken_5' has no attribute 'Whole'"),
        ("def Whole(settings, folder): raise ValueError('no region\\n::error::')", "ValueError: no region ::error::"),
        ("def Whole(settings): return 1", "could not be set up: TypeError"),
        ("raise SystemExit(3)", "could not be set up: SystemExit: 3"),
        ("def Whole(settings, folder): pass", "gave a NoneType, which is no Hosts: it has no method claim"),
        (WHOLE.replace("def prune", "def prun"), "gave a Whole, which is no Hosts: it has no method prune"),
        (WHOLE.replace("prove(self, service, releases, *, unchanged)", "prove(self, service, releases)"),
         "its prove can't be called as prove(service, releases, unchanged=...)"),
        (WHOLE.replace("changes, run)", "changes)"), "its switch can't be called as switch(service, changes, run)"),
    ],
)  # fmt: skip
def test_one_that_does_not_work_is_named_with_its_package(
    install: Install, tmp_path: Path, text: str, why: str
) -> None:
    install("broken", "broken_5", text, nomad="Whole")
    error = refused("nomad", tmp_path)
    assert error.says.startswith('the plug-in "nomad" (broken 1.2) ')
    assert why in error.says
    assert "\n" not in error.says


@pytest.mark.parametrize(
    ("method", "answer", "what"),
    [
        ("stage", "None", "a tuple of Trouble"),
        ("prove", "True", "a tuple of Trouble"),
        ("switch", "['it failed']", "Troubles of the instances that it was asked for"),
        ("switch", "(Trouble('another', 'x'),)", "Troubles of the instances that it was asked for"),
        ("switch", "(Trouble('i1', None),)", "Troubles of the instances that it was asked for"),
        ("claim", "None", "a tuple of Lease"),
        ("prune", "(1,)", "a tuple of versions"),
        ("process", "Process(alive='yes')", "a Process"),
    ],
)
def test_what_no_port_allows_goes_no_further_than_the_plug_in(
    install: Install, tmp_path: Path, method: str, answer: str, what: str
) -> None:
    error = answered(install, tmp_path, method, f"return {answer}")
    assert error.says.startswith(f'the plug-in "odd" (odd 1.2) answers {method} with ')
    assert error.says.endswith(f"which must be {what}")


@pytest.mark.parametrize("raised", ["ValueError('no\\n::error::')", "SystemExit('no ::error::')"])
def test_whatever_a_plug_in_raises_names_it_and_ends_no_gate(install: Install, tmp_path: Path, raised: str) -> None:
    error = answered(install, tmp_path, "switch", f"raise {raised}")
    assert error.says == f'the plug-in "odd" (odd 1.2) failed in switch: {raised.partition("(")[0]}: no ::error::'


def answered(install: Install, folder: Path, method: str, does: str) -> GateError:
    """Return how a driver fails whose method does something else."""
    imports = "from deploygate.events import Trouble\nfrom deploygate.ports import Process\n"
    does = f"    def {method}(self, *a, **k): {does}\n"
    install("odd", "odd_6", f"{imports}{WHOLE}{does}", odd="Whole")
    driver = driver_named(Plugin("odd"), folder)
    service = made_service()
    one = service.instances[1]
    names, start, change = [one.name], Start(one.name, NEW), Change(one.name, None, NEW)
    lease = Lease(RunId("run-1"), Goal.DEPLOY, "gate", "1-2", "now")
    calls: dict[str, Callable[[], object]] = {
        "claim": lambda: driver.claim(service, names, lease, ()),
        "stage": lambda: driver.stage(service, [start]),
        "prove": lambda: driver.prove(service, [start], unchanged=True),
        "switch": lambda: driver.switch(service, [change], RunId("run-1")),
        "process": lambda: driver.process(service, one, answered=False),
        "prune": lambda: driver.prune(service, names, ()),
    }
    with pytest.raises(GateError) as raised:
        calls[method]()
    assert raised.value.ending is Ending.INTERNAL_ERROR
    return raised.value


@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("return None", "answers {method} with None, which must be a tuple of Trouble"),
        ("raise ValueError('no route')", "failed in {method}: ValueError: no route"),
        ("raise SystemExit(3)", "failed in {method}: SystemExit: 3"),
    ],
)
def test_a_balancer_that_fails_is_a_trouble_of_its_instances_and_tells_of_nobody(
    install: Install, tmp_path: Path, does: str, says: str
) -> None:
    methods = ("drain", "restore", "in_service", "drained")
    broken = "".join(f"    def {name}(self, *a): {does}\n" for name in methods)
    install("odd", "odd_7", f"{WHOLE}{broken}", group="balancers", odd="Whole")
    balancer = balancer_named(Plugin("odd"), tmp_path)
    service = made_service()
    calls: dict[str, Callable[[], object]] = {
        "drain": lambda: balancer.drain(service, service.instances, 1.0),
        "restore": lambda: balancer.restore(service, service.instances),
    }
    for method, call in calls.items():
        why = f'the plug-in "odd" (odd 1.2) {says.format(method=method)}'
        assert call() == tuple(Trouble(one.name, why) for one in service.instances)
    assert balancer.in_service(service, service.instances) == {}
    assert balancer.drained(service, service.instances) == frozenset()


@pytest.mark.parametrize(
    ("does", "told"),
    [("return {'i1'}", {"i1"}), ("return {'i1', 'another'}", set()), ("return ['i1']", set()), (None, set())],
)
def test_a_balancer_may_tell_whom_a_gate_has_taken_out(
    install: Install, tmp_path: Path, does: str | None, told: set[str]
) -> None:
    tells = f"    def drained(self, service, instances): {does}\n" if does else ""
    install("pool", "pool_8", f"{WHOLE}{tells}", group="balancers", pool="Whole")
    service = made_service()
    assert balancer_named(Plugin("pool"), tmp_path).drained(service, service.instances) == told


def test_a_balancer_that_could_not_be_asked_whom_a_gate_has_taken_out_is_named(
    install: Install, tmp_path: Path
) -> None:
    text = f"{WHOLE}    def drained(self, service): return set()\n"
    install("pool", "pool_9", text, group="balancers", pool="Whole")
    with pytest.raises(GateError, match=r"its drained can't be called as drained\(service, instances\)"):
        balancer_named(Plugin("pool"), tmp_path)
