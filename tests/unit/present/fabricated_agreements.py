"""A second programmer made up to test pages: he finds what the results say."""

from collections.abc import Mapping
from dataclasses import replace

from analysis.agreement import Agreement, Agreements
from analysis.qc.again import Again
from analysis.qc.compare import compare
from analysis.results import Failure, Result, Stamp
from tests.unit.present.fabricated_parts import spec

STAMP = Stamp("closed", "2023-12-31", "1.0", "0" * 16, "f" * 16, {"subjects.csv": "0123456789abcdef"})


def agreements(results: Mapping[str, Result | Failure], *, has_reference: bool = True) -> Agreements:
    found = tuple(_agreement(results[name]) for name in spec().analyses if name in results)
    return Agreements(STAMP, {}, has_reference, found)


def _agreement(item: Result | Failure) -> Agreement:
    if isinstance(item, Failure):
        return Agreement(item.analysis, item.family, "", absent="it has no result")
    again = Again("other code", item.estimates, item.counts, item.curves, item.points)
    compared = tuple(replace(each, reference=each.ours) for each in compare(item, again))
    return Agreement(item.analysis, item.family, "other code", compared)
