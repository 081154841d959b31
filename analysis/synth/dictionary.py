"""REDCap's data dictionaries of the trial's projects, with the branching logic that their data obey."""

from collections.abc import Iterator, Sequence

from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.children import TWO_YEARS
from analysis.synth.events import CATEGORIES, OUTCOMES, RELATED
from analysis.synth.families import REMOVED_REASONS, authorities
from analysis.synth.forms import INFORMANTS
from analysis.synth.questionnaires import PEDSQL_FORMS, PEDSQL_LENGTHS, SDQ_FORMS, SDQ_ITEMS
from analysis.synth.sheets import Sheet
from analysis.synth.visits import STATUSES

HEADINGS = (
    *("Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label"),
    *("Choices, Calculations, OR Slider Labels", "Field Note"),
    *("Text Validation Type OR Show Slider Number", "Text Validation Min", "Text Validation Max"),
    *("Identifier?", "Branching Logic (Show field only if...)", "Required Field?", "Custom Alignment"),
    *("Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?", "Field Annotation"),
)
NAME, FORM, TYPE, LABEL, CHOICES = (HEADINGS[at] for at in (0, 1, 3, 4, 5))
VALIDATION, LOGIC = HEADINGS[7], HEADINGS[11]
DATE, NUMBER, INTEGER = "date_ymd", "number", "integer"
ATTENDED = "[visit_status] = 'attended'"
YEAR = 365
# The instruments that are for children of a year and more.
FROM_A_YEAR = ("itsea", "dai", "rpq", "rad")

Row = dict[str, str]


def dictionaries(parameters: SyntheticParameters) -> dict[str, Sheet]:
    """The dictionary of each project, by the path of its file below the raw folder."""
    rows = {"children": _children(parameters), "families": _families(parameters), "events": _events()}
    return {f"trial/redcap_{name}_dictionary.csv": _sheet(list(each)) for name, each in rows.items()}


def _sheet(rows: list[Row]) -> Sheet:
    return Sheet({heading: [row.get(heading, "") for row in rows] for heading in HEADINGS})


def _text(form: str, name: str, validation: str = "", logic: str = "") -> Row:
    label = name.replace("_", " ").capitalize()
    return {NAME: name, FORM: form, TYPE: "text", LABEL: label, VALIDATION: validation, LOGIC: logic}


def _radio(form: str, name: str, codes: Sequence[str], labels: Sequence[str] = (), logic: str = "") -> Row:
    pairs = zip(codes, labels or [code.replace("_", " ") for code in codes], strict=True)
    choices = " | ".join(f"{code}, {label}" for code, label in pairs)
    return {**_text(form, name, logic=logic), TYPE: "radio", CHOICES: choices}


def _children(parameters: SyntheticParameters) -> Iterator[Row]:
    form = "enrolment"
    yield _text(form, "record_id")
    yield _text(form, "family")
    yield _text(form, "dob", DATE)
    yield _radio(form, "dob_precision", ("day", "month"))
    yield _radio(form, "sex", ("1", "2"), ("Male", "Female"))
    yield _text(form, "care_entry_dt", DATE)
    yield _text(form, "joined_dt", DATE)
    yield from _visit(parameters)


def _visit(parameters: SyntheticParameters) -> Iterator[Row]:
    form = "visit"
    yield _text(form, "due_dt", DATE)
    yield _text(form, "visit_dt", DATE, ATTENDED)
    yield _radio(form, "visit_status", STATUSES)
    yield _text(form, "age_m", INTEGER, ATTENDED)
    people = ("Foster carer", "Birth parent", "Kinship carer", "Adoptive parent", "Other")
    yield _radio(form, "informant", INFORMANTS, people, ATTENDED)
    yield from _questionnaire("sdq", SDQ_FORMS, "012", [_from_age(TWO_YEARS)] * SDQ_ITEMS, ["total"])
    scores = ["physical", "psychosocial", "total"]
    yield from _questionnaire("pedsql", PEDSQL_FORMS, "01234", _of_long_forms(), scores)
    for scale in parameters.scales:
        name = "cognition" if scale == "COG" else scale.lower()
        logic = ATTENDED
        if scale == "COG":
            logic = f"{ATTENDED} and [event-name] = 'year_2_5'"
        elif name.startswith(FROM_A_YEAR):
            logic = _from_age(YEAR)
        yield _text(form, name, NUMBER, logic)


def _from_age(days: int) -> str:
    return f"{ATTENDED} and datediff([enrolment][dob], [visit_dt], 'd') >= {days}"


def _questionnaire(
    prefix: str, forms: Sequence[str], answers: str, logics: Sequence[str], scores: Sequence[str]
) -> Iterator[Row]:
    common = logics[0]
    yield _radio("visit", f"{prefix}_form", forms, logic=common)
    yield _text("visit", f"{prefix}_dt", DATE, common)
    for item, logic in enumerate(logics, start=1):
        yield _radio("visit", f"{prefix}_{item:02d}", answers, logic=logic)
    yield from (_text("visit", f"{prefix}_{score}", NUMBER, common) for score in scores)


def _of_long_forms() -> list[str]:
    """The logic of every PedsQL item: it is asked where the form is long enough to have it."""
    logics = []
    for item in range(1, int(PEDSQL_LENGTHS.max()) + 1):
        having = [name for name, n in zip(PEDSQL_FORMS, PEDSQL_LENGTHS, strict=True) if n >= item]
        some = " or ".join(f"[pedsql_form] = '{name}'" for name in having)
        logics.append(ATTENDED if len(having) == len(PEDSQL_FORMS) else f"{ATTENDED} and ({some})")
    return logics


def _families(parameters: SyntheticParameters) -> Iterator[Row]:
    form = "family"
    yield _text(form, "record_id")
    yield _radio(form, "authority", authorities(parameters))
    yield _radio(form, "epoch", ("1", "2", "3"), ("CBR", "RCB", "CRB"))
    yield _text(form, "consent_dt", DATE)
    yield _text(form, "rand_dt", DATE)
    yield _text(form, "removed_dt", DATE)
    yield _radio(form, "removed_reason", REMOVED_REASONS, logic="[removed_dt] <> ''")


def _events() -> Iterator[Row]:
    form = "event"
    yield _text(form, "record_id")
    yield _text(form, "event_id")
    yield _text(form, "family")
    yield _text(form, "event_dt", DATE)
    yield _radio(form, "category", CATEGORIES)
    yield {**_text(form, "serious"), TYPE: "yesno"}
    yield _radio(form, "related", RELATED)
    yield _radio(form, "outcome", OUTCOMES)
