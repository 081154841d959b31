"""Tables of one effect per analysis: differences in means and hazard ratios."""

from analysis.present import format as fmt
from analysis.present.reading import Found, arm_name, count, decimals_of, one
from analysis.present.request import Request
from analysis.present.table_form import Cell, Row, Span, Table, numbers
from analysis.results import Estimate, Failure, Result

MEANS_CONVENTIONS = (
    "Analysed / available: with the outcome, of those in the population",
    "Means and SDs are raw; adjusted means and their difference are as the method says",
    "ICC: correlation of two children of one family, given the covariates",
)
SIZES = ("events", "children", "families")
HAZARDS_CONVENTIONS = (
    "A ratio above 1 means that permanence is reached sooner",
    "Events are children with the event in all follow-up",
)


def tabulate_means(request: Request) -> Table:
    """Per analysis: analysed and available, raw and adjusted means, their difference, df, P, ICC."""
    difference = f"Adjusted difference\n{request.contrast} ({request.level})"
    return request.table(
        stub="Analysis",
        columns=[*map(arm_name, request.arms), difference, "df", "P", f"ICC\n({request.level})"],
        rows=[row for item in request.items for row in _means_rows(item, request)],
        conventions=MEANS_CONVENTIONS,
    )


def tabulate_hazards(request: Request) -> Table:
    """Per analysis: children with the event, children and families by arm, hazard ratio and P."""
    return request.table(
        stub="Analysis",
        spans=[*(Span(arm_name(arm), len(SIZES)) for arm in request.arms), Span(request.contrast, 2)],
        columns=[
            *(name.capitalize() for _ in request.arms for name in SIZES),
            f"Hazard ratio\n({request.level})",
            "P",
        ],
        rows=[_hazard_row(item, request) for item in request.items],
        conventions=HAZARDS_CONVENTIONS,
    )


def _means_rows(item: Found, request: Request) -> list[Row]:
    if isinstance(item, Failure):
        return [request.failed(item)]
    arms, blank = request.arms, (Cell(""),) * 4
    decimals = decimals_of(request.spec.analyses[item.analysis].outcome.parameter, request.spec)
    return [
        Row(request.name(item), kind="group"),
        Row(
            "Children analysed / available",
            (*(_sizes(item, arm, "children") for arm in arms), *blank),
            indent=1,
        ),
        Row(
            "Families analysed / available",
            (*(_sizes(item, arm, "families") for arm in arms), *blank),
            indent=1,
        ),
        Row("Mean (SD)", (*(_mean(item, arm, decimals) for arm in arms), *blank), indent=1),
        Row(
            f"Adjusted mean ({request.level})",
            (*(_adjusted_mean(item, arm, decimals) for arm in arms), *_difference(item, decimals + 1)),
            indent=1,
        ),
    ]


def _sizes(result: Result, arm: str, level: str) -> Cell:
    analysed, available = (count(result, level, arm=arm, set=each) for each in ("analysed", "available"))
    text = f"{fmt.whole(analysed)} / {fmt.whole(available)}"
    return Cell(text, numbers(analysed=analysed, available=available), result.analysis, level)


def _mean(result: Result, arm: str, decimals: int) -> Cell:
    found = [one(result.estimates, name, arm=arm) for name in ("mean", "sd")]
    mean, sd = (each.value if each else None for each in found)
    return Cell(fmt.mean_sd(mean, sd, decimals), numbers(mean=mean, sd=sd), result.analysis, "mean (SD)")


def _adjusted_mean(result: Result, arm: str, decimals: int) -> Cell:
    return _estimate(result, one(result.estimates, "adjusted_mean", arm=arm), decimals, "adjusted mean")


def _difference(result: Result, decimals: int) -> tuple[Cell, ...]:
    found = one(result.estimates, "difference")
    icc = one(result.estimates, "icc")
    return (
        _estimate(result, found, decimals, "adjusted difference"),
        Cell(fmt.number(_of(found, "df"), fmt.DF), numbers(df=_of(found, "df")), result.analysis, "df"),
        _p(result, found),
        _estimate(result, icc, fmt.CORRELATION, "ICC"),
    )


def _of(found: Estimate | None, name: str) -> float | None:
    return None if found is None else getattr(found, name)


def _estimate(result: Result, found: Estimate | None, decimals: int, what: str) -> Cell:
    value, low, high = (_of(found, name) for name in ("value", "low", "high"))
    values = numbers(value=value, low=low, high=high, se=_of(found, "se"))
    return Cell(fmt.estimate(value, low, high, decimals), values, result.analysis, what)


def _p(result: Result, found: Estimate | None) -> Cell:
    return Cell(fmt.p_value(_of(found, "p")), numbers(p=_of(found, "p")), result.analysis, "P value")


def _hazard_row(item: Found, request: Request) -> Row:
    if isinstance(item, Failure):
        return request.failed(item)
    sizes = [
        Cell(fmt.whole(n), numbers(n=n), item.analysis, name)
        for arm in request.arms
        for name in SIZES
        for n in (count(item, name, arm=arm),)
    ]
    ratio = one(item.estimates, "hazard_ratio")
    return Row(
        request.name(item), (*sizes, _estimate(item, ratio, fmt.RATIO, "hazard ratio"), _p(item, ratio))
    )
