"""Rules about people: whoever answers for a service can be found."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache

from deploygate.document import Document
from deploygate.inventory import Inventory
from deploygate.rules.complaint import Complaint
from deploygate.wording import quoted


def unknown_person(inventory: Inventory, document: Document) -> Iterator[Complaint]:
    """Find owners who are in no map: a slip of the pen, or somebody who left."""
    known = inventory.people
    if not known:
        return

    @cache  # one person may own a thousand services
    def advice(person: str) -> str:
        near = get_close_matches(person, known, n=1)
        return f"Did you mean `{near[0]}`?" if near else "Name somebody who is in `people`, or add them there."

    for name, service in inventory.services.items():
        owners = service.owners
        for role, person in (("ops", owners.ops), ("dev", owners.dev), ("pm", owners.pm)):
            if person not in known:
                yield Complaint(
                    "unknown-person",
                    document.value("services", name, "owners", role),
                    f"the {role} owner of {name}, {quoted(person)}, is not in `people`",
                    advice(person),
                    name,
                )
