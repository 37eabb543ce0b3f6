"""Rules about workflows that deploy: what they are told fits, and what they do can be seen."""

from collections.abc import Iterator

from deploygate.document import Document
from deploygate.inventory import Inventory
from deploygate.rules.complaint import Complaint
from deploygate.ways import GIVEN, Workflow


def workflow_begin(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find workflows that may use up all their time before they begin."""
    for name, service in inventory.services.items():
        way = service.deploy
        if isinstance(way, Workflow) and way.timeout <= way.begin:
            yield Complaint(
                "workflow-begin",
                document.value("services", name, "deploy", "workflow", "begin"),
                f"the workflow of {name} may take {way.begin:g} s to begin, and {way.timeout:g} s for all of it",
                "Let `timeout` be above `begin`: what waiting for a runner leaves of it is the time of the change.",
                name,
            )


def workflow_identity(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find services of which nobody could say whether a workflow has put another process in place."""
    for name, service in inventory.services.items():
        if isinstance(service.deploy, Workflow) and service.version.identity is None:
            yield Complaint(
                "workflow-identity",
                document.key("services", name, "deploy", "workflow"),
                f"{name} is deployed by a workflow, and does not say which of its processes answers",
                "Give `version_probe.identity`: no host is asked, so a restart can be proven by the service only.",
                name,
            )


def workflow_input(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find inputs that would hide those that the gate gives."""
    for name, service in inventory.services.items():
        way = service.deploy
        for one in way.inputs if isinstance(way, Workflow) else ():
            if one in GIVEN:
                yield Complaint(
                    "workflow-input",
                    document.key("services", name, "deploy", "workflow", "inputs", one),
                    f"the workflow of {name} gets {one} from the gate, and from `inputs` too",
                    f"Take it out, or give it another name. The gate gives {', '.join(GIVEN)}.",
                    name,
                )
