"""An answer becomes a fact or nothing: health and version are read here, and doubt never reads as good."""

from typing import Any

import msgspec

from deploygate.probe import (
    Convention,
    Header,
    Health,
    HealthProbe,
    JsonPointer,
    NoReply,
    Pattern,
    Reader,
    Reply,
    TextBody,
    VersionProbe,
)
from deploygate.wording import plain

# draft-inadarei-api-health-check-06, section 3.1, and Spring Boot's Status: the words and their aliases.
_GOOD_WORDS = {"pass", "ok", "up", "warn"}
_BAD_WORDS = {"fail", "error", "down", "out_of_service"}

# Where each convention has the build; `version` of a health+json document is the public interface's.
_BUILDS = {
    Convention.AUTO: "/version",
    Convention.STATUS: "/version",
    Convention.HEALTH_JSON: "/releaseId",
    Convention.ACTUATOR: "/build/version",
}
_PATTERN_TIME = 0.25  # seconds that a pattern may take; somebody's expression may take for ever

Value = str | None


class _NoValueError(Exception):
    """The answer holds no value at the place that was named; the message says why. `parsed`: it could be read."""

    def __init__(self, says: str, *, parsed: bool = False) -> None:
        super().__init__(says)
        self.parsed = parsed


def read_health(probe: HealthProbe, reply: Reply | NoReply) -> tuple[Health, str]:
    """Return what an answer says of health, and a line that says why it is not healthy."""
    if isinstance(reply, NoReply):
        return (Health.ILL if reply.refused else Health.UNKNOWN), reply.says
    doubt = _doubt(reply)
    if doubt:
        return Health.UNKNOWN, doubt
    if isinstance(probe.reads, Convention):
        return _by_convention(_resolve(probe.reads, reply), reply)
    try:
        value = _extract(probe.reads, reply)
    except _NoValueError as error:
        return (Health.UNKNOWN, str(error)) if _fine(reply) else (Health.ILL, f"answered {reply.status}")
    if not _fine(reply):
        return Health.ILL, f"answered {reply.status}"
    good = value in probe.expect if probe.expect else isinstance(probe.reads, Pattern)
    return (Health.HEALTHY, "") if good else (Health.ILL, f'says "{plain(value, 60)}"')


def read_version(probe: VersionProbe, reply: Reply | NoReply) -> tuple[Value, str]:
    """Return the build that an answer names, or None and a line that says why it names none."""
    if isinstance(reply, NoReply):
        return None, reply.says
    doubt = _doubt(reply)
    if doubt:
        return None, doubt
    if not _fine(reply):
        return None, f"the version probe answered {reply.status}"
    try:
        value = _extract(_version_reader(probe.reads, reply), reply)
    except _NoValueError as error:
        return None, str(error)
    return (value, "") if value else (None, "names an empty version")


def read_identity(probe: VersionProbe, reply: Reply | NoReply) -> Value:
    """Return what the service itself says of which process it is, where the probe asks for that."""
    if probe.identity is None or isinstance(reply, NoReply) or _doubt(reply) or not _fine(reply):
        return None
    try:
        return _extract(probe.identity, reply)
    except _NoValueError:
        return None


def _fine(reply: Reply) -> bool:
    return 200 <= reply.status < 300


def _kind(reply: Reply) -> str:
    return reply.headers.get("content-type", "").partition(";")[0].strip().lower()


def _doubt(reply: Reply) -> str:
    """Say why this answer can't be relied on at all, or nothing."""
    if 300 <= reply.status < 400:
        return f"redirects ({reply.status}); redirects are not followed"
    if reply.status in {401, 403, 407, 511}:
        return f"asks for a login ({reply.status})"
    age = reply.headers.get("age", "").strip()
    if age:
        return f"an aged answer (Age: {plain(age, 20)}) is not an answer"
    if reply.cut:
        return "the body is longer than 64 KiB"
    if _kind(reply) in {"text/html", "application/xhtml+xml"}:
        return f"answered {reply.status} with a web page"
    return ""


def _resolve(convention: Convention, reply: Reply) -> Convention:
    if convention is not Convention.AUTO:
        return convention
    kind = _kind(reply)
    if kind == "application/health+json":
        return Convention.HEALTH_JSON
    if kind.startswith("application/vnd.spring-boot.actuator"):
        return Convention.ACTUATOR
    return Convention.AUTO


def _by_convention(convention: Convention, reply: Reply) -> tuple[Health, str]:
    if not _fine(reply):
        return Health.ILL, f"answered {reply.status}" + _said(reply)
    if convention is Convention.STATUS or (convention is Convention.AUTO and not _speaks_json(reply)):
        return Health.HEALTHY, ""
    try:
        word = _extract(JsonPointer("/status"), reply)
    except _NoValueError as error:
        bare = convention is Convention.AUTO and error.parsed
        return (Health.HEALTHY, "") if bare else (Health.UNKNOWN, str(error))
    if word.lower() in _GOOD_WORDS:
        return Health.HEALTHY, ""
    known = word.lower() in _BAD_WORDS
    return (Health.ILL if known else Health.UNKNOWN), f"answered {reply.status}" + _said(reply)


def _said(reply: Reply) -> str:
    try:
        return f' and says "{plain(_extract(JsonPointer("/status"), reply), 40)}"'
    except _NoValueError:
        return ""


def _speaks_json(reply: Reply) -> bool:
    return "json" in _kind(reply) or reply.body.lstrip().startswith(b"{")


def _version_reader(reads: Convention | Reader, reply: Reply) -> Reader:
    if not isinstance(reads, Convention):
        return reads
    return JsonPointer(_BUILDS[_resolve(reads, reply)])


def _extract(reader: Reader, reply: Reply) -> str:
    match reader:
        case Header(name):
            value = reply.headers.get(name.lower())
            if value is None:
                raise _NoValueError(f"has no header {name}")
            return value.strip()
        case TextBody():
            return _text(reply).strip()
        case Pattern(regex):
            return _matched(regex, _text(reply))
        case JsonPointer(pointer):
            return _at(pointer, reply.body)


def _matched(pattern: str, text: str) -> str:
    import regex  # noqa: PLC0415 - costs start-up time, and few probes have a pattern

    try:
        found = regex.search(pattern, text, timeout=_PATTERN_TIME)
    except TimeoutError:
        raise _NoValueError("the pattern takes too long on this body") from None
    if found is None:
        raise _NoValueError("the body does not match the pattern")
    return found.group(1 if found.re.groups else 0) or ""


def _text(reply: Reply) -> str:
    try:
        return reply.body.decode()
    except UnicodeDecodeError:
        raise _NoValueError("the body is not UTF-8") from None


def _at(pointer: str, body: bytes) -> str:
    try:
        node: Any = msgspec.json.decode(body)
    except (ValueError, RecursionError):  # malformed, not UTF-8, or nested too deep
        raise _NoValueError("the body is not JSON") from None
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            raise _NoValueError(f"the body has nothing at {pointer}", parsed=True)
    if isinstance(node, str):
        return node
    if isinstance(node, bool):
        return "true" if node else "false"
    if isinstance(node, int) and pointer:
        return str(node)
    raise _NoValueError(f"what stands at {pointer} is not a string")
