"""The table of what the sample size rests on: assumed by the design, and seen of all arms together."""

from collections.abc import Iterator

from analysis.present import format as fmt
from analysis.present.reading import count, one
from analysis.present.request import Request
from analysis.present.table_form import Cell, Row, Table, numbers
from analysis.results import Result

SETS = {"assumed": "Assumed by the design", "observed": "Seen at this cut"}
CONVENTIONS = (
    "Nobody's arm is used. Taken together the arms vary by their difference as well: the SD seen is the "
    "root of the variance within arms and, with arms of one size, a quarter of the squared difference",
    "Retention seen: of the families kept whose outcome was due by the cut; the design's is of all "
    "randomised, and so is what is seen once multiplied by the share kept, as below it",
)
INFORMATION = 3


def tabulate_nuisance(request: Request) -> Table:
    """Standard deviation, correlation, family sizes and retention, then what the trial would reach so."""
    return request.table(
        stub="Parameter",
        columns=list(SETS.values()),
        rows=request.rows(lambda item, _: list(_rows(item, request))),
        conventions=CONVENTIONS,
    )


def _rows(result: Result, request: Request) -> Iterator[Row]:
    entry = request.spec.analyses[result.analysis]
    design = request.spec.analyses[entry.monitors].design

    def row(name: str, found: str, decimals: int, *, scale: str = "number", **labels: str) -> Row:
        return Row(
            name, tuple(_cell(result, found, each, decimals, scale, labels) for each in SETS), indent=1
        )

    yield Row("Seen so far", kind="group")
    yield _sizes(result)
    yield row("SD of the outcome", "sd", 2, of="raw")
    yield row(f"SD after covariates ({request.level})", "sd", 2, of="residual")
    yield row(f"ICC within families ({request.level})", "icc", fmt.CORRELATION)
    yield row("Children per family", "children_per_family", 2)
    yield row("Kept of those randomised", "kept", fmt.SHARE, scale="share")
    yield row("Retention of families", "retention", fmt.SHARE, scale="share")
    yield Row(f"At the end, with the {fmt.whole(design.families)} families planned", kind="group")
    yield row("Families with the outcome", "families_at_end", 0)
    yield row("Information", "information_at_end", INFORMATION)
    power = f"Power against a difference of {fmt.number(abs(design.effect), 1)} in either direction"
    yield row(power, "power", fmt.SHARE, scale="share")
    yield from _projected_rows(result, power)
    maximum = one(result.estimates, "maximum")
    yield Row(f"For the information of the design, {fmt.number(maximum.value, INFORMATION)}", kind="group")
    yield row("Families needed with the outcome", "families_needed", 0)
    yield row("Families to randomise", "families_to_randomise", 0)


def _projected_rows(result: Result, power: str) -> Iterator[Row]:
    """What the families bring that recruitment is projected to end with; none where nothing is projected."""
    found = one(result.estimates, "randomised_by_end", set="projected")
    if found is None:
        return
    limits = f" ({fmt.number(found.low, 0)} to {fmt.number(found.high, 0)})" if found.low is not None else ""
    by = fmt.date_name(found.labels["by"])
    yield Row(
        f"At the end, with the {fmt.number(found.value, 0)}{limits} families projected by {by}", kind="group"
    )
    shown = (
        ("Families with the outcome", "families_at_end", 0, "number"),
        ("Information", "information_at_end", INFORMATION, "number"),
        (power, "power", fmt.SHARE, "share"),
    )
    for name, quantity, decimals, scale in shown:
        yield Row(name, (Cell(""), _cell(result, quantity, "projected", decimals, scale, {})), indent=1)


def _sizes(result: Result) -> Row:
    n = {
        (which, unit): count(result, unit, set=which)
        for which in ("known", "due")
        for unit in ("families", "children")
    }
    text = "; ".join(
        f"{unit} {fmt.whole(n['known', unit])} / {fmt.whole(n['due', unit])}"
        for unit in ("families", "children")
    )
    values = {f"{unit}_{which.replace(' ', '_')}": value for (which, unit), value in n.items()}
    return Row(
        "With the outcome / due", (Cell(""), Cell(text, numbers(**values), result.analysis, "sizes")), 1
    )


def _cell(result: Result, name: str, which: str, decimals: int, scale: str, labels: dict[str, str]) -> Cell:
    found = one(result.estimates, name, set=which, **labels)
    if found is None:
        return Cell("")
    if scale == "share":
        text = fmt.percentage(found.value, decimals)
    elif found.low is not None:
        text = fmt.estimate(found.value, found.low, found.high, decimals)
    else:
        text = fmt.number(found.value, decimals)
    values = numbers(value=found.value, low=found.low, high=found.high)
    return Cell(text, values, result.analysis, name.replace("_", " "))
