"""Every rule about an inventory, with its one-line summary; each has a section in docs/rules.md."""

from deploygate.findings import Severity

DOCUMENT_RULES = {
    "alias": "an alias stands for something, and aliases do not blow the file up",
    "control-character": "a file is made of characters that print",
    "duplicate-key": "a key stands once, in all files of a folder together",
    "empty-file": "a file has something in it",
    "empty-folder": "a folder has a *.yml or *.yaml file in it",
    "encoding": "a file is UTF-8",
    "key-not-text": "a key is a word",
    "merge-key": "the merge key << is not used",
    "missing-file": "the file is there",
    "second-document": "a file is one document",
    "syntax": "a file is YAML",
    "tag": "tags are not used",
    "too-deep": "nesting ends somewhere",
    "too-large": "an inventory is at most 16 MiB",
    "unreadable-file": "the file can be read",
}
SHAPE_RULES = {
    "bad-address": "an address is http or https, a host and a port",
    "bad-duration": "a duration is a number and its unit",
    "bad-login": "a login or a team is one that GitHub could have",
    "bad-name": "a name is short and safe",
    "bad-regex": "a regular expression compiles",
    "bad-value": "a value is one that the key can have",
    "bad-version": "a version is safe as the name of a folder",
    "missing-key": "what must be said is said",
    "no-purpose": "a service has a purpose",
    "one-balancer": "a balancer is of one kind",
    "one-driver": "a service is deployed in one way",
    "one-reader": "an answer is read in one way",
    "one-start": "a release is started in one way",
    "schema-version": "the format is one that this gate reads",
    "three-owners": "a service has three owners",
    "too-many": "misfits are shown up to a number",
    "unit-secrets": "a unit of systemd gets its secrets from systemd",
    "unknown-key": "a key is one that the gate knows",
    "unquoted": "text that YAML reads as something else stands in quotes",
    "wrong-type": "a value is of its key's kind",
}
INVENTORY_RULES = {
    "absolute-root": "a folder on another machine is an absolute one",
    "blind-probe": "a probe is able to fail",
    "chain-sink": "a chain's copy does not end in production",
    "chain-source": "a chain says what it is fed with",
    "changed-in-place": "an interface that changes gets another version",
    "drain-time": "draining and stopping take no longer than the instance's deadline",
    "first-wave": "the first production instance goes alone",
    "floor": "an instance may be out while it is replaced",
    "health-expect": "a value that is read is compared with something",
    "host-without-ssh": "an instance on another machine is reached there",
    "idle-balancer": "a balancer stands before instances",
    "idle-waiver": "a waiver is needed",
    "interface-circle": "services that need one another are known",
    "job-limit": "a deploy and its way back fit into a job",
    "min-healthy": "the minimum healthy time is below the deadline",
    "never-passes": "as many answers as a pass takes fit before the deadline",
    "no-twin": "a production service has a twin in the parallel chain",
    "not-waivable": "a waived rule may be waived",
    "probe-timeout": "one answer does not take many intervals",
    "production-last": "promotion ends in production",
    "removable-interface": "an interface version that is provided is consumed",
    "rollback-reason": "a way back that is not open says why",
    "same-address": "an address is one instance's",
    "same-file": "a file that nginx includes is one service's",
    "same-name": "an instance's name is its own",
    "same-root": "a folder of releases is one service's",
    "same-unit": "a unit of systemd is one instance's",
    "shared-address": "an instance is not asked at its service's shared address",
    "shared-host": "one host does not take a whole service down",
    "single-instance": "a production service has two instances or more",
    "stop-grace": "stopping takes no longer than the instance's deadline",
    "stranded-release": "a listed release could run again",
    "timeout-grace": "stopping leaves time for a start",
    "unknown-environment": "an environment is listed",
    "unknown-person": "an owner is among the people",
    "unknown-rule": "a waived rule exists",
    "unknown-service": "a chain's service is in the inventory",
    "unprovided": "an interface that is consumed is provided",
    "waves-floor": "the floor lets every wave go",
    "workflow-begin": "a workflow may run longer than it may take to begin",
    "workflow-identity": "a service that a workflow deploys names its own process",
    "workflow-input": "an input of a workflow is not one that the gate gives",
}
OWNER_RULES = {  # held against more than the inventory: CODEOWNERS, reviews, GitHub
    "overridden": "no later line of CODEOWNERS takes files from their owners",
    "shared-file": "a file of the inventory has the owners of one service",
    "unknown-login": "an owner's account is there",
    "unmapped-owner": "an owner who is to be asked has an account",
    "unreviewed": "those whom a change concerns have approved it",
    "unverified-owner": "it can be told whether an owner's account is there",
}
RULES = DOCUMENT_RULES | SHAPE_RULES | INVENTORY_RULES | OWNER_RULES
WAIVABLE = frozenset(
    {"job-limit", "no-twin", "shared-host", "single-instance", "stranded-release", "unknown-person", "unprovided"}
)
WARNINGS = frozenset(
    {"chain-source", "idle-waiver", "overridden", "shared-file", "shared-host", "stranded-release", "unverified-owner"}
)
NOTES = frozenset({"interface-circle", "removable-interface"})


def severity_of(rule: str) -> Severity:
    """Return how grave a breach of a rule is, where nobody waives it."""
    if rule in NOTES:
        return Severity.NOTE
    return Severity.WARNING if rule in WARNINGS else Severity.ERROR
