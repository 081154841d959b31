"""Tables of recruitment: against the target by site and order of consent, and the balance of the arms."""

from collections.abc import Iterator

from analysis.present import format as fmt
from analysis.present.reading import count, label, one, values_of
from analysis.present.request import Request
from analysis.present.table_form import Cell, Row, Span, Table, numbers
from analysis.results import ALL_SITES, Result, select
from analysis.spec.declarations import Spec

ALL_NAME = "All"
UNITS = ("families", "children")
STILL_OPEN = "Not decided at the data cut"
CONVENTIONS = (
    "Families count from their randomisation to the data cut, those removed later as ineligible among them",
    "Children are those in the family at randomisation, or in the referral",
    "Percentages are of the families referred, or randomised",
)
PROJECTED = (
    "The projection takes the rates of the sites as they were in the days above and asks for nothing else"
)
BALANCE = (
    "Percentages are of the arm",
    "More in the one arm than in the other is described and not tested",
)


def tabulate_accrual(request: Request) -> Table:
    """Referred, randomised, not randomised with reasons, by epoch and year, and where the target stands."""
    sites = (ALL_SITES, *request.spec.trial.sites)
    is_open = any(state_of(item) == "open" for item in request.fitted)
    return request.table(
        stub="Recruitment to the data cut",
        columns=[f"{site_name(site, request.spec)}\nfamilies (%); children" for site in sites],
        rows=request.rows(lambda item, _: list(_accrual_rows(item, request.spec))),
        conventions=(*CONVENTIONS, PROJECTED) if is_open else CONVENTIONS,
    )


def site_name(site: str, spec: Spec) -> str:
    """Name of a site, or of all of them."""
    return ALL_NAME if site == ALL_SITES else label(spec, "site", site)


def state_of(result: Result) -> str:
    """Whether the target is met, or recruitment ended or open without."""
    (state,) = values_of(select(result.counts, name="target"), "state") or ("open",)
    return state


def target_sentence(result: Result, spec: Spec) -> str:
    """Where recruitment stands, in words."""
    done, target = count(result, "randomised_families", site=ALL_SITES), count(result, "target")
    ended = fmt.date_name(spec.trial.recruitment.last)
    of = f"{fmt.whole(done)} of the {fmt.families(target)} planned"
    return {
        "met": f"Complete: the target is met, {of}",
        "ended": f"Complete: recruitment ended on {ended}, {of}",
        "open": f"Recruitment is open, {of}",
    }[state_of(result)]


def _accrual_rows(result: Result, spec: Spec) -> Iterator[Row]:
    yield Row(target_sentence(result, spec), kind="group")
    yield from _target_rows(result, spec)
    yield Row("Referrals", kind="group")
    yield _row("Referred", result, spec, "referred", indent=1)
    yield _row("Randomised", result, spec, "randomised", indent=1, of="referred")
    for outcome in values_of(select(result.counts, site=ALL_SITES), "outcome"):
        yield from _outcome_rows(result, spec, outcome)
    yield Row("Randomised by order of consent, baseline and randomisation", kind="group")
    for epoch in values_of(result.counts, "epoch"):
        name = label(spec, "epoch", epoch)
        yield _row(name, result, spec, "in_epoch", indent=1, of="randomised", epoch=epoch)
    yield Row("Randomised by year", kind="group")
    for year in values_of(result.counts, "year"):
        yield _row(year, result, spec, "in_year", indent=1, of="randomised", year=year)
    yield Row("Families randomised per month", kind="group")
    for period, name in (("all", "Since the site opened"), ("last", _lately(result, spec))):
        yield Row(name, tuple(_rate_cells(result, spec, period)), indent=1)


def _lately(result: Result, spec: Spec) -> str:
    """The days of the recent rates: to the cut, or to the last day of recruitment where that came first."""
    planned = one(result.estimates, "planned")
    over = planned is not None and planned.labels["by"] >= spec.trial.recruitment.last
    until = "of recruitment" if over else "before the data cut"
    return f"In the last {spec.analyses[result.analysis].rate_days} days {until}"


def _outcome_rows(result: Result, spec: Spec, outcome: str) -> Iterator[Row]:
    if outcome == "randomised":
        return
    name = label(spec, "screening_outcome", outcome) if outcome != "open" else STILL_OPEN
    yield _row(name, result, spec, "screened", indent=1, of="referred", outcome=outcome)
    for reason in values_of(select(result.counts, name="not_randomised_families", outcome=outcome), "reason"):
        labels = {"outcome": outcome, "reason": reason}
        name = label(spec, "screening_reason", reason)
        yield _row(name, result, spec, "not_randomised", indent=2, of="referred", **labels)


def _row(
    name: str, result: Result, spec: Spec, what: str, *, indent: int, of: str | None = None, **labels: str
) -> Row:
    """Families of every site, with their share of another number, and children."""
    cells = []
    for site in (ALL_SITES, *spec.trial.sites):
        n, children = (count(result, f"{what}_{unit}", site=site, **labels) for unit in UNITS)
        total = count(result, f"{of}_families", site=site) if of else None
        values = numbers(families=n, children=children) | (numbers(total=total) if of else {})
        text = f"{fmt.part(n, total) if of else fmt.whole(n)}; {fmt.whole(children)}"
        cells.append(Cell(text, values, result.analysis, what.replace("_", " ")))
    return Row(name, tuple(cells), indent=indent)


def _rate_cells(result: Result, spec: Spec, period: str) -> Iterator[Cell]:
    for site in (ALL_SITES, *spec.trial.sites):
        found = one(result.estimates, "rate", site=site, period=period)
        value = found.value if found else None
        yield Cell(
            fmt.number(value, fmt.RATE, absent="not open"), numbers(rate=value), result.analysis, "rate"
        )


def _target_rows(result: Result, spec: Spec) -> Iterator[Row]:
    """What the target asks for, and while it is neither met nor given up when it will be."""
    n, target = count(result, "randomised_families", site=ALL_SITES), count(result, "target")
    part = Cell(fmt.part(n, target), numbers(n=n, total=target), result.analysis, "randomised")
    yield _of_all(f"Randomised, of a target of {fmt.whole(target)}", part, spec)
    planned = one(result.estimates, "planned")
    if planned and state_of(result) == "open":
        name = f"Target by {fmt.date_name(planned.labels['by'])}"
        cell = Cell(fmt.number(planned.value, 0), numbers(n=planned.value), result.analysis, "planned")
        yield _of_all(name, cell, spec)
    finish, by_end, chance = (
        one(result.estimates, name) for name in ("finish", "randomised_by_end", "chance_of_target")
    )
    if finish:
        shown, end = projected_finish(result), fmt.date_name(by_end.labels["by"])
        level = fmt.level_name(finish.level).removesuffix(" CI")
        values = numbers(days=finish.value, low=finish.low, high=finish.high)
        yield _of_all(
            f"Projected day of the target ({level} limits)",
            Cell(shown, values, result.analysis, "projected finish"),
            spec,
        )
        values = numbers(n=by_end.value, low=by_end.low, high=by_end.high)
        shown = fmt.estimate(by_end.value, by_end.low, by_end.high, 0)
        yield _of_all(
            f"Projected by {end} ({level} limits)", Cell(shown, values, result.analysis, "projected"), spec
        )
        shown = fmt.percentage(chance.value)
        cell = Cell(shown, numbers(chance=chance.value), result.analysis, "chance of the target")
        yield _of_all(f"Chance of the target by {end}", cell, spec)


def projected_finish(result: Result) -> str:
    """The projected day of the target with its limits; empty when there is no projection."""
    finish = one(result.estimates, "finish")
    if finish is None:
        return ""
    day, low, high = (
        fmt.date_after(finish.labels["from"], each) for each in (finish.value, finish.low, finish.high)
    )
    return f"{day} ({low} to {high})"


def _of_all(name: str, cell: Cell, spec: Spec) -> Row:
    """A row that is of all sites together, and of families."""
    return Row(name, (cell, *(Cell("") for _ in spec.trial.sites)), indent=1)


def tabulate_balance(request: Request) -> Table:
    """Families and children of each arm in every stratum, and their differences."""
    return request.table(
        stub="Stratum",
        spans=[*(Span(arm, len(UNITS)) for arm in request.arms), Span(request.contrast, len(UNITS))],
        columns=[unit.capitalize() for _ in (*request.arms, "") for unit in UNITS],
        rows=request.rows(lambda item, _: list(_balance_rows(item, request))),
        conventions=BALANCE,
    )


def _balance_rows(result: Result, request: Request) -> Iterator[Row]:
    yield Row("All", tuple(_balance_cells(result, request, {})))
    for factor in values_of(result.counts, "factor"):
        columns = factor.split("/")
        fields = [request.spec.table("recruitment").field(column) for column in columns]
        yield Row(" and ".join([fields[0].title, *(_small(each.title) for each in fields[1:])]), kind="group")
        for level in values_of(select(result.counts, factor=factor), "level"):
            pairs = zip(fields, level.split("/"), strict=True)
            name = ", ".join(label(request.spec, field.codelist, code) for field, code in pairs)
            cells = _balance_cells(result, request, {"factor": factor, "level": level})
            yield Row(name, tuple(cells), indent=1)


def _small(title: str) -> str:
    return title[:1].lower() + title[1:]


def _balance_cells(result: Result, request: Request, labels: dict[str, str]) -> Iterator[Cell]:
    name = "stratum_" if labels else ""
    for arm in request.arms:
        for unit in UNITS:
            n = count(result, f"{name}{unit}", arm=arm, **labels)
            total = count(result, unit, arm=arm)
            text = fmt.part(n, total) if labels else fmt.whole(n)
            yield Cell(text, numbers(n=n, total=total), result.analysis, unit)
    for unit in UNITS:
        # Without a stratum the estimate has no factor either.
        found = [
            each
            for each in select(result.estimates, name="imbalance", unit=unit, **labels)
            if labels or "factor" not in each.labels
        ]
        value = found[0].value if found else None
        yield Cell(fmt.number(value, 0), numbers(difference=value), result.analysis, "imbalance")
