"""The second programmer's numbers beside the report's: one row per headline number, and a tally of all."""

from collections.abc import Mapping, Sequence

from analysis.agreement import Agreement, Agreements, Compared
from analysis.errors import ReportError
from analysis.present import format as fmt
from analysis.present.footnotes import cut_note, origins
from analysis.present.reading import Found
from analysis.present.request import Request
from analysis.present.table_form import Cell, Footnote, Row, Table, numbers
from analysis.results import Failure
from analysis.spec.declarations import Spec

# What stands for an analysis of each family; of one that is not beside the main analysis every such number.
HEADLINES: Mapping[str, tuple[tuple[str, Mapping[str, str]], ...]] = {
    "mixed": (("difference", {}),),
    "averages": (("difference", {}),),
    "binary": (("risk_difference", {}),),
    "subgroups": (("interaction", {}),),
    "course": (("difference", {}),),
    "hazard": (("hazard_ratio", {}),),
    "frailty": (("hazard_ratio", {}),),
    "proportionality": (("proportionality_test", {"variance": "family-robust"}),),
    "routes": (("hazard_ratio", {}),),
    "incidence": (("risk_difference", {}),),
    "occupation": (("days_difference", {"state": "family_home"}),),
    "recurrence": (("rate_ratio", {}),),
    "harms": (("risk_difference", {"category": "any"}),),
}
TALLY = (
    "Difference",
    "Numbers\nthat agree",
    "Largest difference,\nas a part of what\nis allowed",
    "Verdict",
)
DIGITS = 7
COUNTS_ONLY = "counts and summaries"
UNTOLD = ("contrast",)
CONVENTIONS = (
    "A second programmer's code, which shares none with the first, takes the same tables with arms and "
    "estimates every number again",
    "Numbers are those of the results, among them standard errors, limits, degrees of freedom, P values, "
    "every day of every curve, and counts; each is in qc/numbers.csv",
    "Allowed: for estimates one part in a million, for standard errors and the distance of limits one in a "
    "hundred thousand, for degrees of freedom 0.01, for P 0.00001 (a hundred times as much for frailties); "
    "none for counts. A number that rests on random draws is drawn anew and may be four Monte Carlo standard "
    "errors away",
    "Populations, outcomes and times are taken from the tables as they are",
)
WITH_R = "R: its results for these very tables, kept with their script"


def tabulate_validation(request: Request) -> Table:
    """Per analysis the headline numbers of both programmers, and of R if it was given the same tables.

    Raises
    ------
    ReportError
        If nothing was compared.
    """
    found = request.agreements
    if found is None:
        raise ReportError(f"output {request.output.id}: nothing was estimated a second time; run qc.")
    items = {each.analysis: each for each in request.items}
    beside = ["This report", "Second\nprogrammer", *(["R"] if found.has_reference else [])]
    rows = (_rows(items[each.analysis], each, found.has_reference, request) for each in found.agreements)
    return Table(
        id=request.output.id,
        title=request.output.title,
        view=request.view,
        stub="Analysis: number",
        columns=(*beside, *TALLY),
        rows=tuple(row for block in rows for row in block),
        origins=origins([items[each.analysis] for each in found.agreements], request.spec),
        footnotes=(
            *cut_note(request.spec),
            Footnote("Conventions", " ".join(fmt.sentence(each) for each in _conventions(found))),
            *_methods(found),
        ),
    )


def verdict(agreement: Agreement | None) -> str:
    """Whether an analysis was estimated a second time, and with what outcome."""
    if agreement is None or agreement.absent:
        return "no"
    agreeing = agreement.n - sum(each.n for each in agreement.differing)
    return f"{fmt.whole(agreeing)} of {fmt.whole(agreement.n)} numbers agree"


def _conventions(found: Agreements) -> tuple[str, ...]:
    left = [each.analysis for each in found.agreements if each.absent]
    without = f"Not estimated a second time: {', '.join(left)}" if left else "No analysis is left out"
    return (*CONVENTIONS, *((WITH_R,) if found.has_reference else ()), without)


def _methods(found: Agreements) -> tuple[Footnote, ...]:
    """How the second programmer went about it, each way with its analyses."""
    ways: dict[str, list[str]] = {}
    for each in found.agreements:
        if each.method:
            ways.setdefault(each.method, []).append(each.analysis)
    return tuple(
        Footnote(f"Second version, {', '.join(names)}", fmt.sentence(way[0].upper() + way[1:]))
        for way, names in ways.items()
    )


def _rows(item: Found, agreement: Agreement, has_reference: bool, request: Request) -> list[Row]:
    if isinstance(item, Failure):
        return [request.failed(item)]
    entry = request.spec.analyses[agreement.analysis]
    name = f"{entry.id} {entry.title}"
    if agreement.absent:
        return [Row(name, kind="failure", remark=fmt.sentence(f"Not compared: {agreement.absent}"))]
    chosen = headlines(agreement, request.spec)
    blank, tally = (Cell(""),) * (3 + has_reference), _tally(agreement)
    if not chosen:
        return [Row(f"{name}: {COUNTS_ONLY}", (*blank, *tally))]
    (first, *others), empty = chosen, (Cell(""),) * len(tally)
    return [
        Row(f"{name}: {_name(first)}", (*_cells(first, agreement, has_reference), *tally)),
        *(
            Row(f"{entry.id}: {_name(each)}", (*_cells(each, agreement, has_reference), *empty))
            for each in others
        ),
    ]


def headlines(agreement: Agreement, spec: Spec) -> Sequence[Compared]:
    """The numbers that stand for an analysis; of an analysis beside the main one the first."""
    entry = spec.analyses[agreement.analysis]
    last = str(max(getattr(entry, "days", (0,))))
    found = [
        each
        for quantity, labels in HEADLINES.get(agreement.family, ())
        for each in agreement.compared
        if each.part == "value" and each.quantity == quantity and each.labels.get("day", last) == last
        if all(each.labels.get(key) == value for key, value in labels.items())
    ]
    return found[:1] if entry.is_beside_the_main else found


def _name(number: Compared) -> str:
    told = [value.replace("_", " ") for key, value in number.labels.items() if key not in (*UNTOLD, "day")]
    day = [f"day {number.labels['day']}"] if "day" in number.labels else []
    return ", ".join([number.quantity.replace("_", " "), *told, *day])


def _cells(number: Compared, agreement: Agreement, has_reference: bool) -> tuple[Cell, ...]:
    both = [number.ours, number.theirs]
    shown = [_value(value, number, agreement, fmt.NOT_ESTIMABLE) for value in both]
    if has_reference:
        shown.append(_value(number.reference, number, agreement, ""))
    gap = None if None in both else abs(number.ours - number.theirs)
    return (*shown, Cell(fmt.magnitude(gap), numbers(difference=gap), agreement.analysis, "difference"))


def _value(value: float | None, number: Compared, agreement: Agreement, absent: str) -> Cell:
    text = fmt.significant(value, DIGITS, absent=absent)
    return Cell(text, numbers(value=value), agreement.analysis, number.name) if text else Cell("")


def _tally(agreement: Agreement) -> tuple[Cell, ...]:
    agreeing = agreement.n - sum(each.n for each in agreement.differing)
    far = agreement.farthest
    units = far.units if far else None
    return (
        Cell(
            f"{fmt.whole(agreeing)} of {fmt.whole(agreement.n)}",
            numbers(agree=agreeing, compared=agreement.n),
            agreement.analysis,
            "numbers compared",
        ),
        Cell(fmt.magnitude(units), numbers(units=units), agreement.analysis, far.name if far else ""),
        Cell("agrees" if not agreement.differing else "differs", {}, agreement.analysis),
    )
