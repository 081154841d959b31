"""The statistical methods in words, made from the plan and from what each fit says it did."""

from collections.abc import Mapping

from analysis.present import format as fmt
from analysis.present.footnotes import population_text, status_name
from analysis.present.reading import Found
from analysis.results import Failure
from analysis.spec.declarations import Spec

# In the order of a report; a role that no analysis has gives no heading.
HEADINGS = {
    "primary": "Primary analysis",
    "secondary": "Secondary analyses",
    "safety": "Harms",
    "sensitivity": "Sensitivity analyses",
    "supplementary": "Supplementary analyses",
    "subgroup": "Subgroups",
    "not randomised": "Subsets that were not randomised",
    "descriptive": "Descriptions",
}
Method = tuple[str, str, str]


def methods_text(results: Mapping[str, Found], spec: Spec) -> list[tuple[str, list[Method]]]:
    """By role, every analysis of the plan that was run: id, title with status, and what was done."""
    blocks: dict[str, list[Method]] = {}
    for entry in spec.analyses.values():
        if entry.id in results:
            block = blocks.setdefault(HEADINGS.get(entry.role, entry.role.capitalize()), [])
            block.append((entry.id, f"{entry.title} ({status_name(entry)})", _text(results[entry.id], spec)))
    order = [*HEADINGS.values(), *blocks]
    return sorted(blocks.items(), key=lambda block: order.index(block[0]))


def _text(item: Found, spec: Spec) -> str:
    done = f"no result: {item.reason}" if isinstance(item, Failure) else item.method
    population = population_text(spec.analyses[item.analysis], spec)
    return " ".join(fmt.sentence(part[:1].upper() + part[1:]) for part in (done, population) if part)
