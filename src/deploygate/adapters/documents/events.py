"""The one door to PyYAML's parsers: libyaml's where it was built in, else the one in Python."""

from typing import Protocol

import yaml
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner


class Events(Protocol):
    """A stream of events; None is its end."""

    def get_event(self) -> yaml.Event | None:
        """Return the next event."""
        ...


class _PythonEvents(Reader, Scanner, Parser):
    """The same events, about thirty times slower."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


def events(text: str, *, python: bool = False) -> Events:
    """Return the events of a text."""
    if python or not yaml.__with_libyaml__:
        return _PythonEvents(text)
    from yaml._yaml import CParser  # noqa: PLC0415 - does not exist where libyaml was not built in

    stream: Events = CParser(text)
    return stream
