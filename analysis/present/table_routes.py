"""Tables of hazard ratios in detail: by route, and by period with the tests of proportional hazards."""

from analysis.present import format as fmt
from analysis.present.reading import arm_name, count, one, values_of
from analysis.present.request import Request
from analysis.present.table_cells import estimate_cell, p_cell, value_of
from analysis.present.table_form import Cell, Row, Table, numbers
from analysis.present.table_times import cause_label
from analysis.results import Estimate, Result, select

ROBUST = "family-robust"
ROUTES_CONVENTIONS = (
    "The cause-specific ratio compares the rates among children still waiting; the subdistribution ratio"
    " orders the probabilities of the route",
    "A ratio above 1 means sooner, or more often",
    "Events are children who left by the route in all follow-up",
)
PROPORTIONALITY_CONVENTIONS = (
    "A ratio above 1 means that permanence is reached sooner",
    "A small P says that one ratio for all times does not describe the data; the ratio over all times is then"
    " an average over the times seen",
)


def tabulate_routes(request: Request) -> Table:
    """Per route: events by arm, cause-specific and subdistribution hazard ratio, Gray's test."""
    return request.table(
        stub="Analysis and route",
        columns=[
            *(f"{arm_name(arm)}\nevents" for arm in request.arms),
            f"Cause-specific ratio\n{request.ratio} ({request.level})",
            f"Subdistribution ratio\n{request.ratio} ({request.level})",
            "P, Gray's test,\nfamily-robust",
        ],
        rows=request.blocks(_route_rows),
        conventions=ROUTES_CONVENTIONS,
    )


def tabulate_proportionality(request: Request) -> Table:
    """Per analysis: hazard ratio by period, and P of the tests that it is the same at all times."""
    return request.table(
        stub="Analysis",
        columns=[f"Hazard ratio\n{request.ratio} ({request.level})", "Statistic", "df", "P"],
        rows=request.blocks(_proportionality_rows),
        conventions=PROPORTIONALITY_CONVENTIONS,
    )


def _route_rows(item: Result, request: Request) -> list[Row]:
    rows = []
    for cause in values_of(select(item.estimates, name="hazard_ratio"), "cause"):
        events = [count(item, "events", arm=arm, cause=cause) for arm in request.arms]
        subdistribution = one(item.estimates, "subdistribution_hazard_ratio", cause=cause)
        gray = one(item.estimates, "gray_test", cause=cause, variance=ROBUST)
        cells = [
            *(Cell(fmt.whole(n), numbers(n=n), item.analysis, "events") for n in events),
            estimate_cell(item, one(item.estimates, "hazard_ratio", cause=cause), fmt.RATIO, "hazard ratio"),
            estimate_cell(item, subdistribution, fmt.RATIO, "subdistribution hazard ratio"),
            p_cell(item, gray),
        ]
        rows.append(Row(cause_label(cause, request.spec), tuple(cells), indent=1))
    return rows


def _proportionality_rows(item: Result, request: Request) -> list[Row]:
    periods = [
        Row(_period(each), (estimate_cell(item, each, fmt.RATIO, "hazard ratio"), *(Cell(""),) * 3), indent=1)
        for each in select(item.estimates, name="hazard_ratio")
    ]
    equality = one(item.estimates, "equality_test")
    tests = [
        (f"Ratio changes with time, {each.labels['variance']}", each)
        for each in select(item.estimates, name="proportionality_test")
    ]
    tested = [("The same ratio in every period, family-robust", equality), *tests]
    return [
        *periods,
        *(Row(name, (Cell(""), *_test_cells(item, each)), indent=1) for name, each in tested),
    ]


def _period(found: Estimate) -> str:
    first, last = found.labels["from"], found.labels["to"]
    return f"After day {first}" if last == "inf" else f"Day {int(first) + 1} to {last}"


def _test_cells(result: Result, found: Estimate | None) -> tuple[Cell, ...]:
    statistic, df = (value_of(found, name) for name in ("statistic", "df"))
    return (
        Cell(fmt.number(statistic, fmt.RATIO), numbers(statistic=statistic), result.analysis, "chi-squared"),
        Cell("") if df is None else Cell(fmt.number(df, 0), numbers(df=df), result.analysis, "df"),
        p_cell(result, found),
    )
