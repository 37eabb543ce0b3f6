"""The document against its JSON Schema: what does not fit, and where."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any

from deploygate import mismatch
from deploygate.document import Document, Path
from deploygate.findings import Finding, Where
from deploygate.fits import doubtful, fit
from deploygate.mismatch import Mismatch
from deploygate.wording import dotted, quoted

_LONGEST = 100  # characters of a key that are compared with those that are known
MOST = 1_000  # findings; a file with more of them is another kind of file


@dataclass(frozen=True, slots=True)
class Misfit:
    """A finding, and the path of what cannot be read because of it."""

    path: Path
    finding: Finding


def _mismatch(error: Any) -> Mismatch:
    return Mismatch(
        path=tuple(error.absolute_path),
        keyword=str(error.validator),
        wants=error.validator_value,
        value=error.instance,
        schema=error.schema,
        is_key="propertyNames" in error.relative_schema_path,
    )


def check_shape(document: Document, schema: dict[str, Any]) -> tuple[Misfit, ...]:
    """Return everything in the document that does not fit the schema."""
    if fit(schema, schema.get("$defs", {}))(document.root):
        return ()
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - its import costs 110 ms, and most verbs need none

    mismatches = map(_mismatch, Draft202012Validator(schema).iter_errors(doubtful(document.root, schema)))
    found = (misfit for error in mismatches for misfit in _misfits(document, error))
    misfits = tuple(islice(dict.fromkeys(islice(found, 10 * MOST)), MOST))
    if len(misfits) < MOST:
        return misfits
    rest = Finding(
        "too-many",
        Where(document.file),
        f"only the first {MOST:,} misfits are shown",
        "Is this an inventory? Begin with the first of them.",
    )
    return (*misfits, Misfit((), rest))


def _misfits(document: Document, error: Mismatch) -> Iterator[Misfit]:
    path = error.path
    if error.is_key:
        path = (*path, error.value)
        yield Misfit(path, mismatch.malformed(error, document.key(*path), dotted(path[:-1])))
        return
    match error.keyword:
        case "additionalProperties":
            yield from _unknown_keys(document, path, error)
        case "required":
            yield from _missing_keys(document, path, error)
        case "dependentRequired":
            yield from _missing_companions(document, path, error)
        case "oneOf":
            if isinstance(error.value, dict):  # else its type is what is wrong
                yield Misfit(path, mismatch.one_key(document, error))
        case "type":
            yield Misfit(path, mismatch.wrong_type(document, error))
        case "enum" | "const":
            yield Misfit(path, mismatch.one_of(document, error))
        case "pattern":
            yield Misfit(path, mismatch.malformed(error, document.value(*path), dotted(path)))
        case _:
            yield Misfit(path, mismatch.out_of_bounds(document, error))


def _unknown_keys(document: Document, path: Path, error: Mismatch) -> Iterator[Misfit]:
    known = tuple(error.schema["properties"])
    for key in error.value:
        if key in known:
            continue
        near = get_close_matches(key[:_LONGEST], known, n=1)
        advice = f"Did you mean `{near[0]}`?" if near else f"The keys that can stand here: {', '.join(known)}."
        yield Misfit(
            (*path, key),
            Finding("unknown-key", document.key(*path, key), f"{dotted(path)} has no key {quoted(key)}", advice),
        )


def _missing_keys(document: Document, path: Path, error: Mismatch) -> Iterator[Misfit]:
    for key in error.wants:
        if key in error.value:
            continue
        yield Misfit((*path, key), mismatch.missing(document, error, key))


def _missing_companions(document: Document, path: Path, error: Mismatch) -> Iterator[Misfit]:
    for key, others in error.wants.items():
        if key in error.value:
            for other in others:
                if other not in error.value:
                    yield Misfit((*path, other), mismatch.missing(document, error, other, by=key))
