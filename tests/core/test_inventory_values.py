"""Small things that values of the inventory know of themselves."""

import pytest
from made import NEW, OLD, interfaces, release, service

from deploygate.address import Endpoint, endpoint, flaw, tidy
from deploygate.findings import Finding, Severity, Where, errors
from deploygate.inventory import Instance, Interface
from deploygate.names import PARALLEL_CHAIN, PRODUCTION, InstanceName, Secret, Version


def at(address: str) -> Instance:
    return Instance(InstanceName("i1"), PRODUCTION, address)


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("http://10.0.0.1:8080", "10.0.0.1", 8080),
        ("http://ads.example", "ads.example", 80),
        ("https://ads.example/", "ads.example", 443),
        ("http://[::1]:8080", "::1", 8080),
    ],
)
def test_an_instance_knows_its_host_and_port(address: str, host: str, port: int) -> None:
    assert (at(address).host, at(address).port) == (host, port)


def test_a_release_is_as_listed_or_as_its_service_says() -> None:
    listed = release("1.0", provides=("ads 1",))
    one = service(provides=("ads 2",), consumes=("query 7",), releases=(listed,))
    assert one.release(OLD) == listed
    assert one.release(NEW) == release("2.0", provides=("ads 2",), consumes=("query 7",))


def test_instances_of_an_environment_come_in_the_inventorys_order() -> None:
    one = service(places={"b": PRODUCTION, "p": PARALLEL_CHAIN, "a": PRODUCTION})
    assert [instance.name for instance in one.within(PRODUCTION)] == ["b", "a"]


def test_an_interface_reads_as_its_name_and_version() -> None:
    assert [str(one) for one in sorted(interfaces("b 1", "a 2", "a 1"))] == ["a 1", "a 2", "b 1"]
    assert str(Interface("ads", "1.10")) == "ads 1.10"


def test_a_secret_prints_as_stars_wherever_it_is_formatted() -> None:
    secret = Secret("hunter2")
    assert f"{secret} {secret!r} {secret!s} {[secret]}" == "*** *** *** [***]"
    assert secret.reveal() == "hunter2"
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://localhost:80", "http://127.0.0.1"),
        ("http://ADS.example.", "http://ads.example:80/"),
        ("https://ads.example", "https://ads.example:443"),
        ("http://[::1]:80", "http://[0:0:0:0:0:0:0:1]"),
    ],
)
def test_two_spellings_of_a_place_are_one_address(one: str, other: str) -> None:
    assert endpoint(one) == endpoint(other)


def test_a_place_reads_as_host_and_port() -> None:
    assert [str(Endpoint("::1", 80)), str(Endpoint("a", 80))] == ["[::1]:80", "a:80"]
    assert [Endpoint(host, 1).is_loopback for host in ("127.8.9.1", "::1", "10.0.0.1")] == [True, True, False]
    assert tidy("http://a/") == tidy("http://a") == "http://a"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://a:80", None),
        ("http://a:0", "port 0 cannot be asked"),
        ("http://a:65536", "its host or port cannot exist; ports go from 1 to 65535"),
        ("http://1.2.3.999", "its host is not an IP address, though it looks like one"),
        ("http://[::g]", "its host or port cannot exist; ports go from 1 to 65535"),
    ],
)
def test_an_address_that_cannot_exist_says_why(address: str, says: str | None) -> None:
    assert flaw(address) == says


def test_a_place_in_a_file_reads_as_editors_jump_to_it() -> None:
    assert [str(Where("a.yml", 3, 5)), str(Where("a.yml")), str(Where())] == ["a.yml:3:5", "a.yml", ""]


def test_warnings_do_not_stop_the_gate() -> None:
    error = Finding("a", Where(), "x", "y")
    assert errors((error, Finding("b", Where(), "x", "y", Severity.WARNING))) == (error,)


def test_a_version_is_text_and_never_a_number() -> None:
    assert Version("1.10") != Version("1.1")
