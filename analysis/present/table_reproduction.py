"""Whether the published figures are reproduced, each at the precision it was printed with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from analysis.errors import ReportError
from analysis.present import format as fmt
from analysis.present.reading import Found
from analysis.present.request import Request
from analysis.present.table_form import Cell, Footnote, Row, Table, numbers
from analysis.results import Failure, Result, select
from analysis.spec.reported import Place, Reported

COLUMNS = ("Published", "This run", "Difference", "Verdict")
REPRODUCED, DIFFERS, ABSENT = "reproduced", "differs", "not estimable from these data"
CONVENTIONS = (
    "This run's number is rounded to the decimals that were printed; reproduced means that all digits agree",
    "Published figures are the trial's. The synthetic trial was built to have its flow, its raw means and "
    "standard deviations at 2.5 years and its number of serious events, and no other result",
)


@dataclass(frozen=True, slots=True)
class _Compared:
    """A published figure beside ours, at full precision and as it would have been printed."""

    full: float | None
    printed: Decimal | None
    difference: Decimal | None

    @property
    def verdict(self) -> str:
        if self.difference is None:
            return fmt.NOT_ESTIMABLE
        return DIFFERS if self.difference else REPRODUCED


def tabulate_reproduction(request: Request) -> Table:
    """Every published figure of the plan: printed, ours, their difference and the verdict."""
    results = {item.analysis: item for item in request.items}
    declared = list(request.spec.reported.values())
    blocks: dict[str | None, list[Reported]] = {each.analysis: [] for each in declared}
    for each in declared:
        blocks[each.analysis].append(each)
    rows = [row for name, block in blocks.items() for row in _block(name, block, results, request)]
    table = request.table(
        stub="Published figure", columns=COLUMNS, rows=rows, conventions=(*CONVENTIONS, _tally(rows))
    )
    cautions = [Footnote(f"Caution {each.id}", each.caution) for each in declared if each.caution]
    return replace(table, footnotes=(*table.footnotes, *cautions))


def _block(
    analysis: str | None, declared: list[Reported], results: Mapping[str, Found], request: Request
) -> list[Row]:
    if analysis is None:
        return [Row(ABSENT.capitalize(), kind="group"), *map(_absent_row, declared)]
    if analysis not in results:
        raise ReportError(f"output {request.output.id}: its analyses lack {analysis} of {declared[0].id}.")
    item = results[analysis]
    if isinstance(item, Failure):
        return [request.failed(item)]
    return [Row(request.name(item), kind="group"), *(_row(each, item) for each in declared)]


def _absent_row(reported: Reported) -> Row:
    remark = f"Published: {_sign(reported.value)} ({reported.source}). {fmt.sentence(reported.absent)}"
    return Row(_name(reported), kind="failure", indent=1, remark=remark)


def _row(reported: Reported, result: Result) -> Row:
    found = _compare(reported, result)
    ours = fmt.number(found.printed, reported.decimals)
    gap = fmt.number(found.difference, reported.decimals)
    texts = (_sign(reported.value), ours, gap, found.verdict)
    full = (numbers(value=float(reported.number)), numbers(value=found.full), {}, {})
    cells = (
        Cell(text, values, result.analysis, what)
        for text, values, what in zip(texts, full, map(str.lower, COLUMNS), strict=True)
    )
    return Row(f"{_name(reported)} ({reported.source})", tuple(cells), indent=1)


def _compare(reported: Reported, result: Result) -> _Compared:
    ours = _number(reported.find, result, reported)
    if reported.per and ours is not None:
        total = _number(reported.per, result, reported)
        ours = 100 * ours / total if total else None
    if not fmt.is_number(ours):
        return _Compared(None, None, None)
    printed = fmt.rounded(ours, reported.decimals)
    return _Compared(ours, printed, printed - reported.number)


def _number(place: Place, result: Result, reported: Reported) -> float | None:
    if place.count:
        counts = select(result.counts, name=place.count, **place.labels)
        return float(sum(each.value for each in counts)) if counts else None
    found = select(result.estimates, name=place.estimate, **place.labels)
    if len(found) > 1:
        raise ReportError(f"reported.yaml, entry {reported.id}: {len(found)} estimates fit, not one.")
    return getattr(found[0], place.part) if found else None


def _name(reported: Reported) -> str:
    return f"{reported.id} {reported.quantity}"


def _sign(printed: str) -> str:
    return printed.replace("-", fmt.MINUS)


def _tally(rows: list[Row]) -> str:
    verdicts = [row.cells[-1].text for row in rows if row.kind == "data"]
    counted = f"{verdicts.count(REPRODUCED)} of {len(verdicts)} figures that these data give are reproduced"
    missing = sum(row.kind == "failure" for row in rows)
    return f"{counted}; {missing} others are not estimable from them"
