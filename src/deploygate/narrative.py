"""What is said of a run that ended: how, what was done about it, what to do now, and how far each instance came."""

from deploygate.endings import MEANINGS, Ending, Goal
from deploygate.inventory import BackKind
from deploygate.names import InstanceName
from deploygate.plan import Move
from deploygate.rollout import Rollout, Standing, no_traffic
from deploygate.wording import count

LOCKED_NOW = "Wait for that run, or stop it. If it is over, and its machine can't be asked: --take-over RUN."
_STATES = {
    Standing.OLD: "not touched",
    Standing.UNPROVEN: "updated, not proven",
    Standing.PROVEN: "updated",
    Standing.RETURNING: "taken back, not verified",
    Standing.BACK: "taken back",
    Standing.STUCK: "stuck",
}


def from_versions(moves: tuple[Move, ...]) -> str:
    """Name the versions that moves come from: `1.2`, `1.1 and 1.2`, `nothing`."""
    return " and ".join(sorted({str(move.was) for move in moves if move.was})) or "nothing"


def headline(rollout: Rollout, ending: Ending) -> str:
    """Say in one line how a run ended."""
    plan = rollout.plan
    name = f"{plan.service} {plan.version}"
    back = rollout.standing(Standing.BACK)
    match ending:
        case Ending.DEPLOYED:
            size = count(len(plan.moves) + len(plan.held), "instance")
            return f"{name} runs on {size}, each proven (before: {from_versions(plan.way_back)})"
        case Ending.ROLLED_BACK:
            if plan.goal is Goal.ROLLBACK:
                return f"{plan.service} is back at {from_versions(plan.moves)}, on {count(len(back), 'instance')}"
            return f"{name} failed and was taken back: {count(len(back), 'instance')} at {from_versions(plan.way_back)}"
        case Ending.ALREADY_THERE if plan.goal is Goal.RESTORE:
            return f"{plan.service}: {', '.join(back)} passed, and may have traffic again; nothing was restarted"
        case Ending.ALREADY_THERE if not plan.moves:
            return f"{plan.service}: no instance is to be taken back; nothing was restarted"
        case Ending.ALREADY_THERE:
            return f"{plan.service} runs {from_versions(plan.moves)} already; nothing was restarted"
        case Ending.MIXED if plan.back is BackKind.FORBIDDEN:
            return f"{name} failed and has no way back; halted, with every instance left as it is"
        case Ending.MIXED:
            return f"{name} is on some instances only; halted, with two versions in the fleet"
        case Ending.ROLLBACK_FAILED:
            stuck = ", ".join(rollout.standing(Standing.STUCK)) or "an instance"
            return (
                f"ROLLBACK FAILED: {stuck} of {plan.service} could not be taken back to {from_versions(plan.way_back)}"
            )
        case _:
            return f"{name}: {MEANINGS[ending]}"


def done(rollout: Rollout) -> list[str]:
    """Say what was done about it, a line each."""
    plan = rollout.plan
    said = []
    if rollout.took_over:
        said.append(f"took the lock over from {rollout.took_over}")
    restored = [name for name in plan.out if not rollout.tracks[name].out]
    if restored:
        said.append(f"put {', '.join(restored)} back into the balancer, where an earlier run had left it out")
    moved = {move.instance for move in plan.moves}
    passed = [name for name in rollout.standing(Standing.PROVEN) if name in moved and not _overtaken(rollout, name)]
    contained = [name for name in rollout.failing if rollout.tracks[name].standing is not Standing.STUCK]
    if plan.goal is Goal.DEPLOY and contained and plan.back is not BackKind.FORBIDDEN:
        said.append(f"contained {', '.join(contained)}: killed {plan.version}, started the old version")
    if rollout.raised:
        said.append(f"raised a rollback: {rollout.raised}")
    if passed and rollout.ending is not Ending.DEPLOYED:
        said.append(f"left {', '.join(passed)} at {plan.version}")
    known = rollout.cause.says if rollout.cause else ""
    stuck = [
        name if rollout.tracks[name].stuck == known else f"{name} ({rollout.tracks[name].stuck})"
        for name in rollout.standing(Standing.STUCK)
    ]
    if stuck and plan.goal is not Goal.RESTORE:
        said.append(f"could not take back {', '.join(stuck)}")
    return said


def now(rollout: Rollout, ending: Ending) -> str:
    """Say what to do now."""
    plan = rollout.plan
    back, restore = f"deploygate rollback {plan.service}", f"deploygate restore {plan.service}"
    match ending:
        case Ending.ROLLED_BACK if plan.goal is Goal.DEPLOY:
            bad = rollout.cause is not None and rollout.cause.verdict
            again = f"; {plan.version} is refused from now on" if bad else ""
            return f"Mend it and release a new version{again}."
        case Ending.ROLLBACK_FAILED:
            return f"Look at the stuck instances now, then run `{back}` again."
        case Ending.MIXED:
            waive = " --waive bad-version=REASON" if rollout.cause and rollout.cause.verdict else ""
            waive += " --waive way-back=REASON" if plan.back is BackKind.FORBIDDEN else ""
            on = f"deploygate deploy {plan.service} {plan.version}{waive}"
            if plan.back is BackKind.FORBIDDEN:
                return f"Decide: `{on}` to go on, or a newer version. There is no way back."
            return f"Decide: `{on}` to go on, or a newer version; `{back}` to go back."
        case Ending.INTERRUPTED if plan.goal is Goal.RESTORE:
            return f"Run `{restore}` again to finish it."
        case Ending.INTERRUPTED if plan.goal is Goal.DEPLOY and not (rollout.changed or plan.held):
            if any(left_without(rollout, name) for name in rollout.tracks):
                return f"No process was changed. Run `{restore}`, or `deploygate deploy {plan.service} {plan.version}`."
            return f"Nothing was touched. Run `deploygate deploy {plan.service} {plan.version}` again."
        case Ending.INTERRUPTED if plan.goal is Goal.DEPLOY:
            return f"Run `deploygate deploy {plan.service} {plan.version}` again to finish, or `{back}` to undo it."
        case Ending.INTERRUPTED:
            return f"Run `{back}` again to finish it."
        case Ending.LOCKED:
            return LOCKED_NOW
        case Ending.CANNOT_TELL:
            return f"Run `deploygate observe {plan.service}` and look at what does not answer."
        case _:
            return ""


def _state(rollout: Rollout, name: InstanceName) -> str:
    if name in rollout.debts:
        return "debt: left at its old version"
    track = rollout.tracks[name]
    if rollout.plan.goal is Goal.RESTORE:
        return ""
    if rollout.plan.goal is Goal.ROLLBACK and track.standing is Standing.OLD:
        return "" if track.move is None else "not taken back"
    return "changed by another run" if _overtaken(rollout, name) else _STATES[track.standing]


def row_state(rollout: Rollout, name: InstanceName) -> str:
    """Say how far an instance has come, and whether it is left without traffic."""
    state = _state(rollout, name)
    return f"{state}, out of the balancer".removeprefix(", ") if left_without(rollout, name) else state


def left_without(rollout: Rollout, name: InstanceName) -> bool:
    """Tell whether an instance is sent nothing, though nobody but a gate has taken it out."""
    return name in rollout.plan.balanced and no_traffic(rollout.tracks[name])


def _overtaken(rollout: Rollout, name: InstanceName) -> bool:
    """Tell whether an instance that this run left at the new version was last seen at another."""
    track = rollout.tracks[name]
    left = track.standing in {Standing.UNPROVEN, Standing.PROVEN}
    return left and track.seen is not None and track.seen.running not in {None, rollout.plan.version}
