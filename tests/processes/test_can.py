"""Whether a version may be deployed is asked of real processes, and a deploy is then refused for the same reasons."""

import json
from typing import Any

from .fleet import Fleet

TALKING: dict[str, Any] = {
    "provides": {"gossip": "1"},
    "consumes": {"gossip": "1"},
    "releases": {
        "1.5": {"provides": {"gossip": ["1", "2"]}},
        "2.0": {"provides": {"gossip": "2"}, "consumes": {"gossip": "2"}},
    },
}


def with_caller(fleet: Fleet) -> None:
    """Add a service that consumes what ours provides, and that does not answer."""
    path = fleet.folder / "services.yml"
    whole: dict[str, Any] = json.loads(path.read_text())
    service = whole["services"]["Svc"]
    places = {"parallel-chain": ("c-0",), "production": ("c-1", "c-2")}
    whole["services"]["Caller"] = service | {
        "consumes": {"ads": "1"},
        "deploy": {"killstart": {"root": "caller", "start": ["./run"], "grace": "500ms"}},
        "instances": {
            where: [{"name": name, "address": f"http://{fleet.host}:{8_000 + int(name[2:])}"} for name in names]
            for where, names in places.items()
        },
    }
    service |= {"provides": {"ads": "1"}, "releases": {"2.0": {"provides": {"ads": "2"}}}}
    path.write_text(json.dumps(whole))


def test_what_can_says_no_to_a_deploy_is_refused_for_and_nothing_is_touched(small: Fleet) -> None:
    small.inventory(**TALKING)
    before = small.listeners()
    told = small.run("can", "Svc", "2.0")
    assert (told.code, told.data["answer"], told.data["source"]) == (4, "no", "observed")
    reasons = [one["says"] for one in told.data["deploy"]["reasons"]]
    assert reasons == [
        "Svc 2.0 does not provide gossip 1, which Svc 1.0 consumes in production",
        "Svc 2.0 consumes gossip 2, which Svc 1.0 in production lacks",
    ]
    refused = small.deploy("2.0")
    assert refused.end == (4, "refused")
    assert [one["says"] for one in refused.data["reasons"]] == reasons
    assert small.listeners() == before
    alone = small.run("can", "Svc", "2.0", "--in", "parallel-chain")
    assert alone.code == 0, alone  # a single instance never meets its own other version


def test_a_version_that_bridges_two_may_be_deployed_and_rolled_back_and_then_the_next(small: Fleet) -> None:
    small.inventory(**TALKING)
    small.release("1.5")
    assert small.run("can", "Svc", "1.5").code == 0
    assert small.deploy("1.5").end == (0, "deployed")
    there = small.run("can", "Svc", "1.5")
    assert (there.code, there.data["there"], there.data["rollback"]["to"]) == (0, True, ["1.0"])


def test_a_neighbour_that_does_not_answer_leaves_it_open_and_is_red_in_the_picture(small: Fleet) -> None:
    with_caller(small)
    told = small.run("can", "Svc", "2.0", "--in", "production")
    assert (told.code, told.data["deploy"]["answer"], told.data["rollback"]["answer"]) == (9, "cannot_tell", "yes")
    assert small.run("can", "Svc", "2.0", "--no-observe").code == 4
    told = small.run("graph", "--observe", form="mermaid")
    assert told.code == 0
    assert 'n0["Svc 1.0<br/>parallel-chain: 1.0<br/>production: 1.0"]:::service' in told.out
    assert 'n1["Caller 1.0<br/>parallel-chain: no answer<br/>production: no answer"]:::failing' in told.out
