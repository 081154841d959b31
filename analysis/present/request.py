"""One output to be laid out: what the plan asks for, the results that feed it, and who will read it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from analysis.agreement import Agreements
from analysis.present import format as fmt
from analysis.present.footnotes import footnotes, origins, status_name
from analysis.present.reading import Found, arms_of, contrast_name, contrast_of
from analysis.present.table_form import Row, Span, Table
from analysis.results import Failure, Result, View
from analysis.spec.declarations import Spec
from analysis.spec.sap import Output


@dataclass(frozen=True, slots=True)
class Request:
    """An output of the plan with its results, in the plan's order."""

    output: Output
    items: tuple[Found, ...]
    spec: Spec
    view: View
    agreements: Agreements | None = None

    @property
    def arms(self) -> tuple[str, ...]:
        """Arms named by the results; those of the trial when every analysis of a closed output failed."""
        if not self.fitted and self.view != "open":
            return (self.spec.trial.arms.intervention, self.spec.trial.arms.control)
        return arms_of(self.items)

    @property
    def contrast(self) -> str:
        """The contrast as printed; empty when arms are not compared."""
        return contrast_name(contrast_of(self.items))

    @property
    def ratio(self) -> str:
        """The contrast of a ratio as printed."""
        return self.contrast.replace(f" {fmt.MINUS} ", " / ")

    @property
    def level(self) -> str:
        """Name of the intervals, as in 95% CI."""
        return fmt.level_name(self.spec.trial.level)

    @property
    def fitted(self) -> tuple[Result, ...]:
        return tuple(item for item in self.items if isinstance(item, Result))

    def name(self, item: Found) -> str:
        """An analysis with its role and timing, as it stands in a stub."""
        return f"{item.title} ({status_name(self.spec.analyses[item.analysis])})"

    def failed(self, item: Failure) -> Row:
        """The row that stands where a result would."""
        return Row(self.name(item), kind="failure", remark=f"No result: {fmt.sentence(item.reason)}")

    def rows(self, read: Callable[[Result, "Request"], Iterable[Row]]) -> list[Row]:
        """Rows of every analysis as they are read, or the row that says why there are none."""
        return [
            row
            for item in self.items
            for row in ([self.failed(item)] if isinstance(item, Failure) else read(item, self))
        ]

    def blocks(self, read: Callable[[Result, "Request"], Iterable[Row]]) -> list[Row]:
        """The same, below the name of each analysis."""
        return self.rows(lambda item, _: [Row(self.name(item), kind="group"), *read(item, self)])

    def table(
        self,
        *,
        stub: str,
        columns: Sequence[str],
        rows: Sequence[Row],
        spans: Sequence[Span] = (),
        conventions: Sequence[str] = (),
    ) -> Table:
        """The table, with its footnotes and the origin of its numbers."""
        return Table(
            id=self.output.id,
            title=fmt.with_minus(self.output.title),
            view=self.view,
            stub=stub,
            columns=tuple(columns),
            rows=tuple(rows),
            spans=tuple(spans),
            footnotes=footnotes(
                self.items,
                self.spec,
                self.view,
                conventions=conventions,
                texts=(stub, *columns, *words_of(rows)),
            ),
            origins=origins(self.items, self.spec),
        )


def words_of(rows: Sequence[Row]) -> list[str]:
    """Every text of the rows of a table."""
    return [text for row in rows for text in (row.stub, row.remark, *(cell.text for cell in row.cells))]
