"""What YAML 1.1 makes of an unquoted word: a number, a truth value, nothing, a date, or plain text."""

from functools import lru_cache

from yaml.resolver import Resolver

from deploygate.document import Moment

Scalar = str | int | float | bool | Moment | None

_TRUTHS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_BASES = {"0b": 2, "0x": 16}
_LONGEST = 100  # characters; longer words are text, whatever they are made of


def _kind(text: str) -> str:
    for tag, pattern in Resolver.yaml_implicit_resolvers.get(text[:1], ()):
        if pattern.match(text):
            return str(tag).rpartition(":")[2]
    return "str"


def _sixties(digits: str) -> float:
    total = 0.0
    for part in digits.split(":"):
        total = total * 60 + float(part)
    return total


def _integer(digits: str) -> int:
    if digits[:2] in _BASES:
        return int(digits[2:] or "0", _BASES[digits[:2]])
    if ":" in digits:
        return int(_sixties(digits))
    return int(digits, 8 if digits.startswith("0") else 10)


def _number(text: str, kind: str) -> int | float:
    sign = -1 if text.startswith("-") else 1
    digits = text.replace("_", "").lstrip("+-").lower()
    if kind == "int":
        return sign * _integer(digits)
    if digits in {".inf", ".nan"}:
        return sign * float(digits[1:])
    return sign * _sixties(digits)


@lru_cache(maxsize=4096)
def unquoted(text: str) -> Scalar:
    """Return what YAML 1.1 makes of an unquoted word."""
    if len(text) > _LONGEST:
        return text
    match _kind(text):
        case "null":
            return None
        case "bool":
            return _TRUTHS[text.lower()]
        case "timestamp":
            return Moment(text)
        case "int" | "float" as kind:
            return _number(text, kind)
        case _:
            return text
