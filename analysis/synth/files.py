"""Names of the exports, and which of their rows a dirty cell may stand in."""

from analysis.synth.hand import Condition, Hand, Row

CHILDREN, FAMILIES = "trial/redcap_children.csv", "trial/redcap_families.csv"
EVENTS, SCREENING = "trial/redcap_events.csv", "trial/screening_log.csv"
WITHDRAWALS, DEVIATIONS = "trial/withdrawals.csv", "trial/deviations.csv"
DELIVERY, ALLOCATION = "service/delivery.csv", "allocation.csv"
COURT, GLASGOW, LONDON = "court/proceedings.csv", "glasgow/clas_placements.csv", "london/ssda903_episodes_"


def anything(row: Row) -> bool:
    return True


def attended(*events: str) -> Condition:
    return lambda row: row["redcap_event_name"] in events and row["visit_status"] == "attended"


def london_files(hand: Hand) -> list[str]:
    return sorted(file for file in hand.sheets if file.startswith(LONDON))


def returned_once(hand: Hand) -> set[tuple[str, str]]:
    """Keys of rows that stand in one English return only: the next one would not know a spoiled key."""
    count: dict[tuple[str, str], int] = {}
    for file in london_files(hand):
        columns = hand.sheets[file].columns
        for key in zip(columns["CHILD"], columns["DECOM"], strict=True):
            count[key] = count.get(key, 0) + 1
    return {key for key, n in count.items() if n == 1}


def removed_families(hand: Hand) -> set[str]:
    families = hand.sheets[FAMILIES].columns
    return {family for family, day in zip(families["record_id"], families["removed_dt"], strict=True) if day}


def of_enrolment(hand: Hand, column: str) -> dict[str, str]:
    """A column of the children's enrolment rows by child; a spoiled id or cell is as it now stands."""
    columns = hand.sheets[CHILDREN].columns
    cells = zip(columns["record_id"], columns["redcap_event_name"], columns[column], strict=True)
    return {child: cell for child, event, cell in cells if event == "enrolment"}
