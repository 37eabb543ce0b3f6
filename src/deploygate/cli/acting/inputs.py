"""The inputs of the Action, which are the options of `deploygate action`: one table, held to action.yml by a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploygate.cli.given import SshGiven
from deploygate.cli.options import parsed_waivers
from deploygate.errors import GateError
from deploygate.names import Secret
from deploygate.wish import WAIVABLE
from deploygate.wording import plain, quoted

VERBS = ("check", "deploy", "rollback", "restore", "observe")
# Each input with its default and what it means; the token's default is the runner's business.
INPUTS: Mapping[str, tuple[str, str]] = {
    "verb": ("check", "What to do - check, deploy, rollback, restore or observe."),
    "inventory": ("services.yml", "The inventory, a file or a folder in the workspace."),
    "service": (
        "",
        "The service to act on; empty means all whose wanted version this change alters, for check and deploy.",
    ),
    "version": (
        "",
        "The version to go to; empty means what the inventory wants, or, for a rollback, the one before.",
    ),
    "environment": (
        "",
        "The environment to check or deploy up to and including, or to roll back; empty means all of the service's.",
    ),
    "baseline": (
        "healthy",
        "Whether instances that are ill before the start refuse the run (healthy) or are rolled too (broken).",
    ),
    "waive": (
        "",
        "Rules that do not refuse this run, one RULE=REASON a line; the reasons are recorded; empty means none.",
    ),
    "reason": ("", "Why this is done, as it is put on record; empty means no reason is given."),
    "of_run": (
        "",
        "The run that is rolled back, as its own output names it; empty means the newest one of the service.",
    ),
    "raised": ("false", "Set by the gate itself in the rollback that it raises; leave it alone."),
    "take_over": (
        "",
        "The run whose lock and hosts are taken over, if you know that it is over; empty means no run's.",
    ),
    "observe": (
        "false",
        "Whether a check also asks the instances what runs now; false means the recorded deployments are believed.",
    ),
    "reviews": (
        "false",
        "Whether a check demands the approval of the owners whom the change concerns, on its newest commit.",
    ),
    "verify_owners": (
        "false",
        "Whether a check looks up on GitHub whether the accounts of the owners are there.",
    ),
    "rollback_workflow": (
        "rollback.yml",
        "The file name of the workflow that takes a failed deploy back; none means the gate does it in the same job.",
    ),
    "rollback_ref": ("", "The branch or tag whose rollback workflow is started; empty means the default branch."),
    "ssh_known_hosts": (
        "",
        "The keys of the hosts, as lines of known_hosts; empty means the file that OpenSSH is configured with.",
    ),
    "ssh_key": (
        "",
        "The private key that the hosts let in, from a secret; empty means an agent or the configuration has one.",
    ),
    "ssh_config": ("", "Lines of OpenSSH's configuration, for ports, users and jump hosts; empty means none."),
    "ssh_agent": (
        "",
        "The socket of an ssh agent, in the runner's temporary folder; empty means none but what ssh finds itself.",
    ),
    "token": (
        "",
        "The token for GitHub's API; left alone, it is the job's own, with the permissions that the job declares.",
    ),
    "comment": ("true", "Whether one comment on the pull request tells the verdict and is kept up to date."),
    "statuses": (
        "all",
        "Which commit statuses are set - all, changed (only services that the change concerns) or none.",
    ),
    "deployments": (
        "true",
        "Whether deployments are recorded with GitHub; they are also the memory of versions that failed.",
    ),
    "put_back": ("true", "Whether a pull request that puts the inventory back is opened after a rollback."),
    "state": ("", "The folder for the journal and the locks; empty means a folder of this job's own."),
    "dry_run": ("false", "Whether everything is checked and shown, and nothing is changed on any host."),
}

_LONGEST_PATH = 1000  # characters, which every system can take
_CHOICES = {"verb": VERBS, "baseline": ("healthy", "broken"), "statuses": ("all", "changed", "none")}
_SWITCHES = ("observe", "reviews", "verify_owners", "raised", "comment", "deployments", "put_back", "dry_run")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a step was given, checked; empty means the default."""

    verb: str
    inventory: Path
    service: str
    version: str
    environment: str
    waived: Mapping[str, str]
    reason: str
    of_run: str
    raised: bool
    take_over: str
    observe: bool
    reviews: bool
    verify_owners: bool
    rollback_workflow: str
    rollback_ref: str
    ssh: SshGiven = field(repr=False)
    token: Secret
    comment: bool
    statuses: str
    deployments: bool
    put_back: bool
    state: str
    dry_run: bool


def parsed(given: Mapping[str, str]) -> Inputs:
    """Return the inputs of a step.

    Raises:
        GateError: One has a value that it can't have.
    """
    text = {name: given.get(name, "").strip() or default for name, (default, _) in INPUTS.items()}
    for name, choices in _CHOICES.items():
        if text[name] not in choices:
            raise GateError(f"the input {name} is {quoted(text[name])}", help=f"It can be: {', '.join(choices)}.")
    if len(text["inventory"]) > _LONGEST_PATH or not text["inventory"].isprintable():
        raise GateError(
            f"the input inventory is {quoted(text['inventory'])}", help="It is the path of a file or folder."
        )
    switch = {name: _switch(name, text[name]) for name in _SWITCHES}
    waived = parsed_waivers(tuple(line.strip() for line in text["waive"].splitlines() if line.strip()), WAIVABLE)
    if text["baseline"] == "broken":
        waived.setdefault("baseline", "baseline: broken")
    previous = text["verb"] == "rollback" and text["version"] == "previous"
    return Inputs(
        verb=text["verb"],
        inventory=Path(text["inventory"]),
        service=text["service"],
        version="" if previous else text["version"],
        environment=text["environment"],
        waived=waived,
        reason=plain(text["reason"]),
        of_run=text["of_run"],
        take_over=text["take_over"],
        rollback_workflow=text["rollback_workflow"],
        rollback_ref=text["rollback_ref"],
        ssh=SshGiven(
            _lines(text["ssh_known_hosts"]),
            given.get("ssh_key") or None,
            _lines(text["ssh_config"]),
            text["ssh_agent"] or None,
        ),
        token=Secret(text["token"]),
        statuses=text["statuses"],
        state=text["state"],
        **switch,
    )


def _lines(text: str) -> str | None:
    """Return lines so that one alone is no path: what GitHub keeps in a variable has no end of line."""
    return f"{text}\n" if text else None


def _switch(name: str, text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise GateError(f"the input {name} is {quoted(text)}", help="It can be: true, false.")
    return text.lower() == "true"
