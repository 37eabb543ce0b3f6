"""A plan as text that a forge keeps: packed into a few characters, and taken out again only where it is safe."""

import base64
import zlib

import msgspec

from deploygate.names import NAME, VERSION
from deploygate.plan import Move, Plan

LARGEST = 60_000  # characters of a packed plan; a larger one is not kept
_LARGEST_JSON = 8 * 1024 * 1024  # bytes that a plan may become when it is unpacked


def pack(plan: Plan) -> str:
    """Return a plan as text, or nothing where that would be too large."""
    text = msgspec.json.encode(plan)
    packed = base64.b64encode(zlib.compress(text, 9)).decode()
    return packed if len(packed) <= LARGEST and len(text) <= _LARGEST_JSON else ""


def unpack(packed: str) -> Plan | None:
    """Return the plan that a text holds, which anybody may have made, or nothing where it is none to go by."""
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(base64.b64decode(packed, validate=True), _LARGEST_JSON)
        plan = msgspec.json.decode(text, type=Plan) if unpacker.eof else None
    except (msgspec.MsgspecError, ValueError, zlib.error, RecursionError):
        return None
    return plan if plan and all(_safe(move) for move in (*plan.moves, *plan.held)) and _safe_names(plan) else None


def _safe(move: Move) -> bool:
    """Tell whether a move names what could be an instance and versions: they come to be names of folders."""
    versions = [one for one in (move.to, move.was) if one]
    named = NAME.fullmatch(move.instance) and NAME.fullmatch(move.environment)
    return bool(named) and all(VERSION.fullmatch(one) for one in versions)


def _safe_names(plan: Plan) -> bool:
    names = (*plan.instances, *plan.skipped, *plan.balanced, *plan.out, *plan.apart, *plan.spared)
    versions = (*plan.keep, *plan.spared.values())
    return all(NAME.fullmatch(one) for one in names) and all(VERSION.fullmatch(one) for one in versions)
