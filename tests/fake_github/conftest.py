from collections.abc import Iterator

import pytest

from deploygate.fake_github import FakeGitHub, Repository
from fake_github.caller import Caller


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        yield made


@pytest.fixture
def repo(hub: FakeGitHub) -> Repository:
    return hub.repository("acme/shop")


@pytest.fixture
def ask(hub: FakeGitHub, repo: Repository) -> Caller:
    assert repo.full_name == "acme/shop"
    return Caller(hub, hub.token())
