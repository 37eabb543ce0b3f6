"""Every key of the inventory's schema, with two values that must be read as different inventories."""

import copy
from typing import Any

Keys = tuple[str, ...]
Pair = tuple[Any, Any]

LEFT_OUT = object()
HEALTH: dict[Keys, Pair] = {
    ("path",): ({"path": "/a"}, {"path": "/b"}),
    ("convention",): ({"convention": "status"}, {"convention": "actuator"}),
    ("json",): ({"json": "/a", "expect": ["ok"]}, {"json": "/b", "expect": ["ok"]}),
    ("header",): ({"header": "A", "expect": ["ok"]}, {"header": "B", "expect": ["ok"]}),
    ("text",): ({"text": True, "expect": ["ok"]}, {"json": "/a", "expect": ["ok"]}),
    ("regex",): ({"regex": "a", "expect": ["ok"]}, {"regex": "b", "expect": ["ok"]}),
    ("expect",): ({"text": True, "expect": ["ok"]}, {"text": True, "expect": ["ready"]}),
    ("interval",): ({"interval": "1s"}, {"interval": "1500ms"}),
    ("timeout",): ({"timeout": "1s"}, {"timeout": "3s"}),
    ("passes",): ({"passes": 2}, {"passes": 4}),
    ("fails",): ({"fails": 2}, {"fails": 4}),
    ("min_healthy",): ({"min_healthy": "1s"}, {"min_healthy": "3s"}),
    ("deadline",): ({"deadline": "1m"}, {"deadline": "3m"}),
}
VERSION: dict[Keys, Pair] = {
    ("path",): ({"path": "/a"}, {"path": "/b"}),
    ("convention",): ({"convention": "health+json"}, {"convention": "actuator"}),
    ("json",): ({"json": "/a"}, {"json": "/b"}),
    ("header",): ({"header": "A"}, {"header": "B"}),
    ("text",): ({"text": True}, {"json": "/a"}),
    ("regex",): ({"regex": "a.+"}, {"regex": "b.+"}),
    ("identity", "json"): ({"identity": {"json": "/a"}}, {"identity": {"json": "/b"}}),
    ("identity", "header"): ({"identity": {"header": "A"}}, {"identity": {"header": "B"}}),
}
ROLLOUT: dict[Keys, Pair] = {
    ("bake",): ({"bake": "1s"}, {"bake": "0s"}),
    ("on_failure",): ({"on_failure": "undo"}, {"on_failure": "halt"}),
    ("failure_budget",): ({"failure_budget": 0}, {"failure_budget": 1}),
    ("floor",): ({"floor": 0}, {"floor": 1}),
    ("waves",): ({"waves": [1]}, {"waves": [1, "50%"]}),
}
INSTANCE = ("services", "*", "instances", "*", "*")
KILLSTART = ("services", "*", "deploy", "killstart")
CHANGES: dict[Keys, Pair] = {
    ("environments",): (["parallel-chain", "production"], ["parallel-chain", "staging", "production"]),
    ("limits", "job"): ("3h", "4h"),
    ("people",): ({"a": "x", "b": "y", "c": "z"}, {"a": "x", "b": "y", "c": "acme/ads"}),
    ("services", "*", "purpose"): ("One.", "Another."),
    ("services", "*", "owners", "ops"): ("a", "b"),
    ("services", "*", "owners", "dev"): ("a", "b"),
    ("services", "*", "owners", "pm"): ("a", "b"),
    ("services", "*", "version"): ("1.0", "1.10"),
    ("services", "*", "address"): ("http://c", "http://d"),
    ("services", "*", "artifact"): ("a-{version}", "b-{version}"),
    **{
        ("services", "*", *part, "provides", "*", "*", key): pair
        for part in ((), ("releases", "*"))
        for key, pair in {"version": ("1", "2"), "digest": (f"sha256:{'0' * 64}", f"sha256:{'1' * 64}")}.items()
    },
    ("services", "*", "consumes"): ({"ad-request": "1.2"}, {"ad-request": ["1.2", "2.0"]}),
    ("services", "*", "releases", "*", "consumes"): ({"a": "1"}, {"a": "2"}),
    ("services", "*", "releases", "*", "rollback"): ("allowed", "manual"),
    ("services", "*", "releases", "*", "reason"): ("This.", "That."),
    ("services", "*", "waive"): ({"job-limit": "This."}, {"job-limit": "That."}),
    (*KILLSTART, "root"): ("/a", "/b"),
    (*KILLSTART, "start"): (["./run"], "./run"),
    (*KILLSTART, "stop"): (["./stop"], "./stop"),
    (*KILLSTART, "grace"): ("1s", "2s"),
    (*KILLSTART, "keep"): (2, 3),
    (*INSTANCE, "name"): ("a", "b"),
    (*INSTANCE, "address"): ("http://a", "http://b"),
    (*INSTANCE, "host"): ("a", "b"),
    ("chains", "*", "source"): ("Requests.", "Clicks."),
    ("chains", "*", "order"): (["AdCaster"], ["Other"]),
    ("chains", "*", "sinks"): (
        {"parallel-chain": "http://a", "production": "http://b"},
        {"parallel-chain": "http://c", "production": "http://b"},
    ),
}
COMMANDS: Pair = (["./one"], "./two")
SSH = {"user": ("a", "b"), "port": (22, 23), "jump": ("a", "b")}
PLUGIN = {"name": ("a", "b"), "settings": ({"a": 1}, {"a": [1]})}
# A driver and a balancer hold only as a whole: a whole table, and its keys with two values each.
WHOLE: tuple[tuple[str, dict[str, Any], dict[str, Pair]], ...] = (
    (
        "deploy",
        {"killstart": {"root": "/srv", "start": ["./start"], "stop": ["./stop"]}},
        {
            "killstart.pid": COMMANDS,
            "killstart.check": COMMANDS,
            "killstart.secrets": (["A"], ["B"]),
            **{f"killstart.ssh.{key}": pair for key, pair in SSH.items()},
        },
    ),
    (
        "deploy",
        {"killstart": {"root": "/srv", "start": ["./start"], "stop": ["./stop"], "pid": ["./pid"]}},
        {"killstart.kill": COMMANDS},
    ),
    (
        "deploy",
        {"killstart": {"root": "/srv", "systemd": {"unit": "a-{instance}@{version}.service"}}},
        {
            "killstart.systemd.unit": ("a-{instance}@{version}.service", "b-{instance}@{version}.service"),
            "killstart.systemd.sudo": (LEFT_OUT, True),
            "killstart.systemd.scope": ("system", "user"),
        },
    ),
    (
        "deploy",
        {"command": {"start": ["./start"], "stop": ["./stop"], "status": ["./status"]}},
        {
            **{f"command.{one}": COMMANDS for one in ("stage", "prove", "start", "stop", "status", "prune")},
            "command.timeout": ("1m", "2m"),
            "command.grace": ("1s", "2s"),
            "command.keep": (2, 3),
            "command.secrets": (["A"], ["B"]),
        },
    ),
    (
        "deploy",
        {"workflow": {"file": "a.yml"}},
        {
            "workflow.file": ("a.yml", "b.yaml"),
            "workflow.ref": ("main", "release/v1"),
            "workflow.inputs": ({"a": "1"}, {"b": "1"}),
            "workflow.timeout": ("5m", "6m"),
            "workflow.begin": ("1m", "90s"),
        },
    ),
    (
        "deploy",
        {"plugin": {"name": "a"}},
        {
            **{f"plugin.{key}": pair for key, pair in PLUGIN.items()},
            "plugin.grace": ("1s", "2s"),
            "plugin.keep": (2, 3),
        },
    ),
    (
        "balancer",
        {"haproxy": {"sockets": ["/a"], "backend": "a"}},
        {
            "haproxy.sockets": (["/a"], ["/a", "b:1"]),
            "haproxy.backend": ("a", "b"),
            "haproxy.server": ("{instance}", "a-{instance}"),
            "drain": ("1s", "2s"),
            "environments": (["parallel-chain"], ["production"]),
        },
    ),
    (
        "balancer",
        {"nginx": {"file": "/a", "upstream": "a", "hosts": ["a"]}},
        {
            **{f"nginx.{key}": ("/a", "/b") for key in ("file", "pid_file")},
            **{f"nginx.{key}": (["./a"], ["./b"]) for key in ("test", "reload")},
            **{f"nginx.ssh.{key}": pair for key, pair in SSH.items()},
            "nginx.upstream": ("a", "b"),
            "nginx.hosts": (["a"], ["b"]),
        },
    ),
    (
        "balancer",
        {"command": {"drain": ["./drain"], "restore": ["./restore"]}},
        {
            **{f"command.{one}": COMMANDS for one in ("drain", "restore", "status")},
            "command.timeout": ("1s", "2s"),
        },
    ),
    ("balancer", {"plugin": {"name": "a"}}, {f"plugin.{key}": pair for key, pair in PLUGIN.items()}),
)


def with_key(whole: dict[str, Any], keys: Keys, value: object) -> dict[str, Any]:
    """Return a table with one of its inner keys as given."""
    table = copy.deepcopy(whole)
    node = table
    for key in keys[:-1]:
        node = node.setdefault(key, {})
    if value is not LEFT_OUT:
        node[keys[-1]] = value
    return table


PROBES = (
    (("defaults", "health"), HEALTH),
    (("defaults", "version"), VERSION),
    (("defaults", "rollout"), ROLLOUT),
    (("services", "*", "health"), HEALTH),
    (("services", "*", "version_probe"), VERSION),
    (("services", "*", "rollout"), ROLLOUT),
)
WAYS: dict[Keys, tuple[Keys, Pair]] = {
    ("services", "*", part, *keys): (
        ("services", "*", part),
        (with_key(whole, keys, pair[0]), with_key(whole, keys, pair[1])),
    )
    for part, whole, changes in WHOLE
    for keys, pair in ((tuple(dotted.split(".")), pair) for dotted, pair in changes.items())
}
CONTRACT: dict[Keys, tuple[Keys, Pair]] = {
    **{path: (path, values) for path, values in CHANGES.items()},
    **{(*at, *key): (at, values) for at, table in PROBES for key, values in table.items()},
    **WAYS,
}
