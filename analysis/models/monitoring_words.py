"""Words beside the numbers of a monitored trial: how they were found, and what is unusual at a look."""

from collections.abc import Iterator, Sequence

from analysis.models.looks import Stand, Taken
from analysis.spec.monitoring_entries import MonitoringAnalysis

KINDS = {
    "obrien_fleming": "O'Brien-Fleming type",
    "pocock": "Pocock type",
    "hwang_shih_decani": "Hwang-Shih-DeCani",
}


def method_of(entry: MonitoringAnalysis) -> str:
    """How boundaries, power and adjusted estimates were found."""
    spending, design = entry.spending, entry.design
    return (
        f"Lan-DeMets spending, {KINDS[spending.kind]}, of a two-sided level of {spending.alpha:g}, half on "
        f"each side, by the information actually there: 1/SE\u00b2 of the difference of {entry.watches}, the "
        "SE being that of its interval (Kenward-Roger adjusted, so that the information of a small look is "
        "not overstated). z is that whose normal tail is the P of the difference. The maximum is the "
        f"information with which the planned looks have power {design.power:g} against a difference of "
        f"{abs(design.effect):g} in either direction. Boundaries of looks already taken stand as they "
        "were; those to come are for the fractions planned. Conditional power: chance of crossing a boundary "
        "at a look to come, given z now, if the looks to come bring the information planned "
        "and the difference from here on is the estimate (current trend), that of the design, or none. "
        "Predictive power: conditional power averaged over the difference as a normal distribution around "
        "the estimate with its SE (flat prior). After the last test: median-unbiased estimate, interval and "
        f"P by stagewise ordering. Time to an event ({entry.fixed.analysis}): Wald z of the log hazard "
        "ratio, family-robust, against fixed Haybittle-Peto limits, two-sided P "
        f"{entry.fixed.interim_alpha:g} at every look but the last and {entry.fixed.alpha:g} at the last"
    )


def notes_of(
    entry: MonitoringAnalysis,
    taken: Taken,
    stand: Stand,
    maximum: float,
    *,
    reasons: tuple[str, str],
) -> list[str]:
    """What a reader must know of this look."""
    main, fixed = reasons
    found = [
        *_of_estimate(entry, main),
        *_of_test(entry, taken, stand, maximum),
        *_of_plan(entry, taken, stand),
    ]
    return [*found, f"No hazard ratio of {entry.fixed.analysis}: {fixed}"] if fixed else found


def _of_estimate(entry: MonitoringAnalysis, reason: str) -> Iterator[str]:
    if reason:
        yield f"No estimate of {entry.watches} at this look, so nothing is tested or spent: {reason}"


def _of_test(entry: MonitoringAnalysis, taken: Taken, stand: Stand, maximum: float) -> Iterator[str]:
    look, closed = stand.look, taken.closed(entry.spending.alpha)
    if closed is not None:
        how = "The boundary was crossed" if closed.is_crossed else "All error was spent"
        yield (
            f"{how} at look {closed.number}, of {closed.cut}. This look tests nothing: its data are "
            "overrunning. The adjusted difference is that of the look that stopped; where there are more "
            "data now, one with them stands beside it, in which this look takes the place of that one "
            "(Whitehead 1992)."
        )
    elif look.is_crossed:
        side = "above" if look.z > 0 else "below"
        yield f"z has crossed the boundary {side} at this look."
    if stand.standing in ("no gain", "remainder"):
        yield from _of_no_gain(entry, stand)
    if look.information is not None and look.information > maximum and closed is None:
        yield (
            f"The information, {look.information:.3f}, is beyond the maximum of the design, {maximum:.3f}: "
            "all error is spent, and no further look would test anything."
        )
    elif stand.standing == "tested" and look.cut >= entry.looks[-1].cut:
        yield (
            "This is the last look: it spends what was left of the error at "
            f"{look.information / maximum:.0%} of the maximum information."
        )


def _of_no_gain(entry: MonitoringAnalysis, stand: Stand) -> Iterator[str]:
    last, now = stand.used[-1], stand.look.information
    told = "has fallen" if now < last.information else f"has not risen by {entry.least_gain:.0%}"
    start = f"The information {told} since look {last.number} ({last.information:.3f}, now {now:.3f})"
    if stand.standing == "no gain":
        yield f"{start}, as after corrections of data: this look tests and spends nothing."
    else:
        yield (
            f"{start}. The last look tests z at the error that is left, by Bonferroni, which holds the "
            "level; a stagewise estimate is not defined."
        )


def _of_plan(entry: MonitoringAnalysis, taken: Taken, stand: Stand) -> Iterator[str]:
    cut, planned = stand.look.cut, [each.cut for each in entry.looks]
    if cut not in planned:
        yield "This data cut is not among the planned looks; the error is spent by information all the same."
    before = [each for each in planned if each < cut]
    if before and not taken.looks:
        yield (
            "No look before this one was handed over: if any was taken, name its run as `previous` in the "
            "configuration."
        )
    shown = {each.cut for each in stand.to_come}
    behind = [each for each in planned if each > cut and each not in shown]
    if stand.to_come and behind:
        yield (
            f"The information planned for {_listed(behind)} is already there; no boundary is shown for it, "
            "as what it will bring is not planned."
        )


def _listed(days: Sequence[str]) -> str:
    return " and ".join(days)
