"""A plan: what changes and how far it reaches, the way back, and the steps."""

from collections import Counter
from itertools import groupby

import msgspec

from deploygate.account import effort
from deploygate.inventory import BackKind, Service
from deploygate.names import PRODUCTION
from deploygate.narrative import from_versions
from deploygate.plan import Move, Plan
from deploygate.report.forms import SCHEMA, escaped, github_table, json_text, plain_table
from deploygate.wording import count, seconds

_STEPS = ("step", "instance", "environment", "from", "to", "watched for")


def plan_text(plan: Plan, service: Service) -> str:
    """Return a plan for a terminal: what changes and how far it reaches, then the steps."""
    if not plan.moves:
        return plan_headline(plan) + "\n"
    lines = [plan_headline(plan), f"  reach {_reach(plan)}", f"  back  {_way_back(plan)}"]
    lines += [f"  via   {_traffic(plan)}"] if plan.balanced else []
    lines.append(f"  who   ops {service.owners.ops}, dev {service.owners.dev}, pm {service.owners.pm}")
    lines += ["", plain_table(_steps(plan), _STEPS)]
    lines += [f"  not protected: {note}" for note in plan.unprotected]
    return "\n".join(lines) + "\n"


def plan_markdown(plan: Plan, service: Service) -> str:
    """Return a plan for a comment."""
    if not plan.moves:
        return f"### {escaped(plan_headline(plan))}\n"
    return f"### {escaped(plan_headline(plan))}\n\n{plan_details(plan, service)}"


def plan_details(plan: Plan, service: Service) -> str:
    """Return what stands below the headline of a plan in a comment: reach, way back, owners, steps."""
    steps = [[escaped(cell) for cell in row] for row in _steps(plan)]
    owners = f"ops {service.owners.ops}, dev {service.owners.dev}, pm {service.owners.pm}"
    notes = [f"- **not protected**: {escaped(note)}" for note in plan.unprotected]
    return "\n".join(
        [
            f"- **reach**: {escaped(_reach(plan))}",
            f"- **back**: {escaped(_way_back(plan))}",
            *([f"- **via**: {escaped(_traffic(plan))}"] if plan.balanced else []),
            f"- **who**: {escaped(owners)}",
            *notes,
            "",
            github_table(steps, _STEPS),
            "",
        ]
    )


def plan_json(plan: Plan, service: Service) -> str:
    """Return a plan for a program, `schema: 1`."""
    owners = {"ops": service.owners.ops, "dev": service.owners.dev, "pm": service.owners.pm}
    return json_text({"schema": SCHEMA, "owners": owners, "plan": msgspec.to_builtins(plan, order="sorted")})


def plan_headline(plan: Plan) -> str:
    """Return a plan in one line: from where to where, on what, how fast, how long."""
    if not plan.moves:
        held = ", ".join(move.instance for move in plan.held)
        said = [f"{held} must pass, as an earlier run was cut off"] if held else []
        said += [f"{', '.join(plan.out)} may have traffic again, as an earlier run left it out"] if plan.out else []
        left = f"it is there already; {', and '.join(said)}" if said else "nothing to do, it is there already"
        return f"{plan.service} {plan.version}: {left}"
    sizes: dict[str, int] = {}
    for move in plan.moves:
        sizes[move.environment] = sizes.get(move.environment, 0) + 1
    where = " and ".join(count(size, f"{environment} instance") for environment, size in sizes.items())
    return f"{plan.service} {from_versions(plan.moves)} -> {plan.version}: {where}, {_pace(plan)}, {effort(plan)}"


def _reach(plan: Plan) -> str:
    size = sum(1 for environment in plan.instances.values() if environment == PRODUCTION)
    if not size:
        return "no production instance"
    most = min(size, max((wave for wave in _waves(plan)), default=1))
    share = 100 * most / size
    return f"at most {most} of {count(size, 'production instance')} unproven at any time ({share:.0f}% of its traffic)"


def _waves(plan: Plan) -> list[int]:
    """Return how many production instances each wave changes."""
    sizes = Counter(move.wave for move in plan.moves if move.environment == PRODUCTION)
    return [sizes[wave] for wave in sorted(sizes)]


def _pace(plan: Plan) -> str:
    waves = _waves(plan)
    if max(waves, default=1) == 1:
        return "one at a time"
    shown = [str(wave) for wave in waves[:6]] + (["…"] if len(waves) > 6 else [])
    return f"in waves of {', '.join(shown)}, as the floor allows"


def _traffic(plan: Plan) -> str:
    """Say how traffic is kept from what is changed, and who has none before the start."""
    size, wait = count(len(plan.balanced), "instance"), seconds(plan.drain)
    said = [f"the balancer: {size} drained in turn ({wait} at most for connections), and put back once proven"]
    said += [f"put back, as an earlier run left them out: {', '.join(plan.out)}"] if plan.out else []
    said += [f"left out, as somebody else took them out: {', '.join(plan.apart)}"] if plan.apart else []
    return "; ".join(said)


def _way_back(plan: Plan) -> str:
    if plan.back is BackKind.FORBIDDEN:
        return "none: it is forbidden"
    known = [move for move in plan.moves if move.was]
    if len(known) < len(plan.moves):
        return f"{count(len(plan.moves) - len(known), 'instance')} of {len(plan.moves)} have no version to come back to"
    proven = "not proven, as waived" if "way-back" in plan.waived else "proven before the first change"
    by = ", on your word only" if plan.back is BackKind.MANUAL else ""
    return f"to {from_versions(plan.moves)}, by kill and start, {proven}{by}"


def _together(plan: Plan) -> list[tuple[Move, ...]]:
    return [tuple(moves) for _, moves in groupby(plan.moves, key=lambda move: move.together)]


def _steps(plan: Plan) -> list[tuple[str, ...]]:
    return [
        (
            str(step),
            move.instance,
            move.environment,
            move.was or "-",
            move.to,
            seconds(plan.watch.min_healthy + move.bake) + (" (bake)" if move.bake else ""),
        )
        for step, wave in enumerate(_together(plan), start=1)
        for move in wave
    ]
