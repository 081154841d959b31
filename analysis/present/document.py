"""A report: one page of HTML that needs nothing but itself. Words are in reports/, numbers come from here."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.agreement import Agreements
from analysis.errors import ReportError
from analysis.present import format as fmt
from analysis.present.assumptions import assumptions
from analysis.present.blinding import check_open_text
from analysis.present.consort import LEVELS, boxes_of
from analysis.present.flags import flags
from analysis.present.footnotes import UNTOLD_TREATMENT, average_name
from analysis.present.headline import summarise, summarise_for_committee
from analysis.present.interim import Pack, pack_context
from analysis.present.manifest import Listed
from analysis.present.methods_text import methods_text
from analysis.present.pieces import Piece, read_pieces
from analysis.present.reading import ALL, Found, count, label
from analysis.present.stamps import check_stamps
from analysis.present.standing import guideline, tabulate_standing
from analysis.present.table_form import MARKS, Origin, Table
from analysis.present.table_validation import verdict
from analysis.present.template import render
from analysis.results import Failure, ResultFile, Stamp, View
from analysis.spec.coded_arms import is_coded
from analysis.spec.declarations import Spec
from analysis.spec.outputs import outputs_of, report_of, sections_of, template_of

IssueCount = tuple[str, str, str, int]
SEVERITIES = ("stop", "query", "note")
NO_PACK = Pack()


def render_report(
    view: View,
    spec: Spec,
    *,
    files: Mapping[str, ResultFile],
    current: Mapping[str, Stamp],
    outputs: Path,
    issues: Sequence[IssueCount],
    templates: Path,
    synthetic: bool,
    manifest: Sequence[Listed],
    agreements: Agreements | None = None,
    pack: Pack = NO_PACK,
) -> str:
    """The report of a view, of the edition whose plan is given.

    `files` and `current` hold results and current stamps by family, `outputs` is the folder of its tables and
    figures, `issues` what was found in the data as (rule, severity, message, number), `agreements` what the
    second programmer found, `manifest` every file that the report is made of, `pack` what an interim report
    shows beside results.

    Raises
    ------
    ReportError
        If results disagree with each other, with what is current, or with the tables and figures; or if the
        template leaves an output out.
    BlindingError
        If an open report would name an arm.
    """
    check_stamps(files, current)
    results = {item.analysis: item for file in files.values() for item in file.results}
    pieces = read_pieces(outputs_of(spec, view), outputs, results, spec, view, agreements)
    if spec.interim_cut:  # a committee reads graphics before listings
        pieces = tuple(sorted(pieces, key=lambda piece: piece.table is not None))
    standing = [tabulate_standing(results, spec, view)] if spec.interim_cut else []
    summary = (summarise_for_committee if standing else summarise)(results, spec, view)
    page = render(
        template_of(spec, view),
        templates,
        view=view,
        mark=MARKS[view],
        synthetic=synthetic,
        pieces=pieces,
        summary=summary,
        failures=[item for item in results.values() if isinstance(item, Failure)],
        stages=_stages(results, spec),
        agreed={each: verdict(agreements.of(each)) for each in results} if agreements else {},
        issues=_issues(issues, spec),
        manifest=[each for each in manifest if each.kind != "input"],
        audience=report_of(view),
        **_declared(spec, view),
        methods=methods_text(results, spec),
        assumptions=assumptions(spec, view, synthetic=synthetic),
        register=_register((*standing, summary, *pieces), spec),
        **_provenance(files),
        **(_of_interim(standing, results, spec, view, pack) if spec.interim_cut else {}),
    )
    _check_complete(page, [*(piece.id for piece in pieces), *sections_of(spec)])
    if view == "open":
        check_open_text(page, spec)
    return page


def _of_interim(
    standing: Sequence[Table], results: Mapping[str, Found], spec: Spec, view: View, pack: Pack
) -> dict[str, Any]:
    return {
        "standing": standing[0],
        "flags": flags(results, spec, view),
        "limits": guideline(results, spec),
        **pack_context(pack, spec),
    }


def _declared(spec: Spec, view: View) -> dict[str, Any]:
    """What the declarations say, for the page's words."""
    trial = spec.trial
    return {
        "trial": trial,
        "sites": [label(spec, "site", site) for site in trial.sites],
        "arms": {} if view == "open" else spec.codelists["arm"],
        "coded": is_coded(spec),
        "horizon_months": fmt.months(trial.horizon_days),
        "few": fmt.FEW,
        "level": fmt.level_name(trial.level).removesuffix(" CI"),
        "estimands": [_estimand(each, spec, view) for each in spec.estimands.values()],
        "populations": list(spec.populations.values()),
        "conduct": [each for each in spec.conduct.values() if view != "open" or each.audience == "open"],
        "amendments": spec.amendments,
        "sections": sections_of(spec),
    }


def _estimand(estimand: Any, spec: Spec, view: View) -> dict[str, Any]:
    return {
        **{
            name: getattr(estimand, name) for name in ("id", "title", "variable", "summary", "no_sensitivity")
        },
        "treatment": UNTOLD_TREATMENT if view == "open" else estimand.treatment,
        "population": spec.populations[estimand.population].label,
        "analysed_in": spec.populations[estimand.analysed_in].label if estimand.analysed_in else "",
        "average": average_name(estimand),
        "events": [(each.event, each.strategy, each.assumed) for each in estimand.intercurrent_events],
        "main": [(each, spec.analyses[each].title) for each in estimand.main],
        "sensitivity": [(each, spec.analyses[each].title) for each in estimand.sensitivity],
        "supplementary": [(each, spec.analyses[each].title) for each in estimand.supplementary],
    }


def _stages(results: Mapping[str, Found], spec: Spec) -> list[tuple[str, str, str]]:
    """Main boxes of the flow, all arms together: label, families, children."""
    flow = next((item for item in results.values() if item.family == "flow"), None)
    if flow is None or isinstance(flow, Failure):
        return []
    found = []
    for position, stage in enumerate(spec.stages.values()):
        kinds = ("main", "side") if position == 0 else ("main",)
        boxes = [box.id for box in boxes_of(flow, stage) if box.kind in kinds]
        parts = [[count(flow, level, stage=stage.id, box=box, arm=ALL) for box in boxes] for level in LEVELS]
        if boxes and None not in (*parts[0], *parts[1]):
            families, children = (fmt.whole(sum(part)) for part in parts)
            found.append((stage.label, families, children))
    return found


def _issues(issues: Sequence[IssueCount], spec: Spec) -> dict[str, Any]:
    """Findings in the data: rows by severity then rule, and their totals.

    What the data cut left out says nothing of the quality of the data: its notes are a total of their own.
    """
    order = {severity: at for at, severity in enumerate(SEVERITIES)}
    rows = sorted(issues, key=lambda row: (order[row[1]], row[0], row[2]))
    left_out = {name for name, finding in spec.findings.items() if finding.found == "cut"}
    after = [row for row in rows if row[0] in left_out and row[1] == "note"]
    totals = {each: sum(row[3] for row in rows if row[1] == each and row not in after) for each in SEVERITIES}
    return {"rows": rows, "totals": totals | {"after": sum(row[3] for row in after)}}


def _register(shown: Sequence[Piece | Table], spec: Spec) -> dict[str, Origin]:
    """The origin of every number of the report, in the plan's order."""
    found = {name: origin for each in shown for name, origin in each.origins.items()}
    return {name: found[name] for name in spec.analyses if name in found}


def _provenance(files: Mapping[str, ResultFile]) -> dict[str, Any]:
    stamps = {family: file.stamp for family, file in files.items()}
    first = next(iter(stamps.values()))
    families = {item.analysis: family for family, file in files.items() for item in file.results}
    return {
        "cut": first.cut,
        "sap_version": first.sap_version,
        "stamps": {family: asdict(stamp) for family, stamp in stamps.items()},
        "inputs": first.inputs,
        "inputs_digest": _digest(first.inputs),
        "packages": first.packages,
        "family_of": families,
    }


def _digest(inputs: Mapping[str, str]) -> str:
    """One digest of all input tables: of their names and digests, by name."""
    text = "".join(f"{name} {digest}\n" for name, digest in sorted(inputs.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _check_complete(page: str, wanted: Sequence[str]) -> None:
    if absent := [name for name in wanted if f'id="{name}"' not in page]:
        raise ReportError(f"the template leaves out {', '.join(absent)}; every output and section is shown.")
