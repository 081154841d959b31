"""Which side of an effect is the better one, and for whom."""

from collections.abc import Iterator

from analysis.present.reading import label
from analysis.results import Estimate, Result
from analysis.spec.declarations import Spec, scale_of

BELOW, ABOVE = "below", "above"
_SIDE = {"lower": BELOW, "higher": ABOVE, "higher is worse": BELOW, "higher is better": ABOVE}


def better_side(analysis: str, spec: Spec) -> str:
    """``"below"`` or ``"above"``: where an effect favours the first arm; empty where no side is declared.

    The estimand says so, or else the scale of the outcome.
    """
    entry = spec.analyses[analysis]
    estimand = spec.estimands[entry.estimand] if entry.estimand else None
    if estimand and estimand.better:
        return _SIDE[estimand.better]
    scale = scale_of(spec, _parameter(entry))
    return _SIDE[scale.direction] if scale else ""


def favours(analysis: str, effect: Estimate | None, spec: Spec) -> str:
    """The side that favours the first arm, as *below 0* or *above 1*; empty where there is none."""
    side = better_side(analysis, spec)
    if not side or effect is None or effect.value is None:
        return ""
    return f"{side} {1 if 'ratio' in effect.name else 0}"


def directions(item: Result, spec: Spec) -> Iterator[str]:
    """In a sentence, which difference and which ratio favour the first arm, where arms are compared."""
    side = better_side(item.analysis, spec)
    names = [each.name for each in item.estimates if "contrast" in each.labels]
    if not side or not names:
        return
    entry = spec.analyses[item.analysis]
    found = [f"a difference {side} 0"] if any("difference" in name for name in names) else []
    found += [f"a ratio {side} 1"] if any("ratio" in name for name in names) else []
    if found:
        estimand = spec.estimands.get(entry.estimand)
        named = (
            estimand.title if estimand and estimand.better else label(spec, "parameter", _parameter(entry))
        )
        # Beside the state that is judged stand the others, of which more is not better.
        others = (
            "; of other states nothing is said"
            if any("state" in each.labels for each in item.estimates)
            else ""
        )
        yield f"{named}: {' and '.join(found)} favours {spec.trial.arms.intervention}{others}"


def _parameter(entry) -> str:
    outcome = getattr(entry, "outcome", None)
    return outcome.parameter if outcome else getattr(entry, "parameter", "")
