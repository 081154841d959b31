"""The care histories come back exactly from the returns, read by the declared codes alone."""

from collections import defaultdict
from datetime import date

import pytest

from analysis.spec.synthetic import with_values
from analysis.synth.chain import NEVER, STATES, TRANSFERRED
from analysis.synth.draw import draw_trial
from analysis.synth.sheets import identifiers
from analysis.synth.trial import export

OPEN = None


def day(cell):
    if not cell:
        return OPEN
    dd, mm, yyyy = (int(part) for part in cell.split("/"))
    return date(yyyy, mm, dd)


def english_rows(files, *, latest=True):
    rows = {}
    for path in sorted(path for path in files if path.startswith("london/")):
        for row in files[path]:
            key = (row["CHILD"], row["DECOM"])
            if latest or key not in rows:
                rows[key] = (
                    row["CHILD"],
                    day(row["DECOM"]),
                    day(row["DEC"]),
                    row["PLACE"],
                    row["REC"],
                    row["LS"],
                    row["RNE"],
                )
    return _closed(list(rows.values()))


def _closed(rows):
    """A row that the next return forgot ended when the child's next placement began."""
    starts = defaultdict(list)
    for child, start, *_ in rows:
        starts[child].append(start)
    closed = []
    for child, start, stop, place, reason, *rest in rows:
        later = [day for day in starts[child] if day > start]
        if stop is OPEN and later:
            stop, reason = min(later), "X1"
        closed.append((child, start, stop, place, reason, *rest))
    return closed


def scottish_rows(files, mapping):
    (source,) = (each for each in mapping["sources"] if each["kind"] == "clas")
    place, ended = source["values"]["placement_code"], source["values"]["reason_ended"]
    rows = []
    for row in files["glasgow/clas_placements.csv"]:
        is_last = row["placement_end_date"] and row["placement_end_date"] == row["episode_end_date"]
        reason = (
            ended[row["destination_on_discharge"]] if is_last else "X1" if row["placement_end_date"] else ""
        )
        start = "S" if row["placement_start_date"] == row["episode_start_date"] else "P"
        dates = day(row["placement_start_date"]), day(row["placement_end_date"])
        rows.append((row["child_ref"], *dates, place[row["placement_type"]], reason, "", start))
    return rows


def by_child(rows, states):
    children = defaultdict(list)
    for row in sorted(rows, key=lambda row: row[:2]):
        if row[5] not in states.respite_legal_status:
            children[row[0]].append(row)
    return children


def transitions(rows, states, *, basis):
    """[(date, state entered)] from the first placement on, and the date of a transfer."""
    lives, leaves = states.placement_state(basis), states.exit_state()
    found, transferred = [], None
    for at, (_, start, stop, place, reason, _, _) in enumerate(rows):
        found.append((start, lives[place]))
        if reason == "X1":
            assert rows[at + 1][1] == stop
        elif reason in states.censoring_reason():
            transferred = stop
        elif reason:
            found.append((stop, leaves[reason]))
        else:
            assert stop is OPEN
            assert at == len(rows) - 1
    return [each for at, each in enumerate(found) if at == 0 or found[at - 1][1] != each[1]], transferred


@pytest.fixture(scope="module")
def files(clean, tables):
    return tables(clean)


@pytest.fixture(scope="module")
def returned(files, mapping, parameters):
    return by_child(english_rows(files) + scottish_rows(files, mapping), parameters.states)


@pytest.fixture(scope="module")
def deaths(files):
    rows = files["trial/redcap_events.csv"]
    return {
        row["record_id"]: date.fromisoformat(row["event_dt"])
        for row in rows
        if row["category"] == "child_death"
    }


def expected(draw):
    """Child -> (transitions, date of transfer) from the drawn histories."""
    for at, child in enumerate(identifiers("C", draw.children.n)):
        origin = date.fromordinal(date(1970, 1, 1).toordinal() + int(draw.children.start[at]))
        moves, transferred = [], None
        for when, state in zip(draw.histories.day[at], draw.histories.state[at, 1:], strict=True):
            if when != NEVER:
                on = date.fromordinal(origin.toordinal() + int(when))
                if state == TRANSFERRED:
                    transferred = on
                else:
                    moves.append((on, STATES[state]))
        yield child, origin, moves, transferred


def test_legal_histories_come_back_exactly(returned, deaths, draw, parameters):
    n_moves = 0
    for child, origin, moves, transferred in expected(draw):
        found, left = transitions(returned[child], parameters.states, basis="legal")
        entry, *after = found
        assert entry[1] == "care"
        assert entry[0] <= origin
        if child in deaths and (not after or after[-1][1] != "died"):
            after.append((deaths[child], "died"))
        assert (after, left) == (moves, transferred), child
        n_moves += len(moves)
    assert n_moves > 300


@pytest.fixture(scope="module")
def mortal(parameters, tables):
    """A larger trial with as many deaths as the declaration allows."""
    often = with_values(parameters, {"care.death_rate": 0.002})
    return tables(export(draw_trial(often, seed=5, scale=5), dirt=False))


def reported_deaths(files):
    rows = files["trial/redcap_events.csv"]
    return {row["record_id"]: row["event_dt"] for row in rows if row["category"] == "child_death"}


def test_deaths_in_care_are_reported_as_events_too(mortal):
    died = {
        row["CHILD"]
        for path in mortal
        if path.startswith("london/")
        for row in mortal[path]
        if row["REC"] == "E2"
    }
    scottish = mortal["glasgow/clas_placements.csv"]
    died |= {row["child_ref"] for row in scottish if row["destination_on_discharge"] == "Died"}
    assert 3 < len(died) < len(reported_deaths(mortal))
    assert died <= set(reported_deaths(mortal))


def test_nobody_is_seen_after_death_and_the_counts_hold(mortal):
    deaths, rows = reported_deaths(mortal), mortal["trial/redcap_children.csv"]
    assert all(row["visit_dt"] < deaths.get(row["record_id"], "9") for row in rows)
    seen = [row for row in rows if row["redcap_event_name"] == "year_2_5" and row["visit_dt"]]
    assert len(seen) == 5 * 367


def test_physical_histories_keep_the_graph_and_come_no_later(returned, draw, parameters):
    states, earlier = parameters.states, 0
    for child, origin, _, _ in expected(draw):
        legal, _ = transitions(returned[child], states, basis="legal")
        physical, _ = transitions(returned[child], states, basis="physical")
        assert [state for on, state in physical if on <= origin] == ["care"]
        for (_, source), (_, target) in zip(physical, physical[1:], strict=False):
            assert target in states.edges[source]
        assert [state for _, state in physical] == [state for _, state in legal]
        assert all(one[0] <= two[0] for one, two in zip(physical, legal, strict=True))
        earlier += sum(one[0] < two[0] for one, two in zip(physical, legal, strict=True))
    assert earlier > 50


def test_earlier_returns_would_mislead(files, draw, mapping, parameters):
    """Without the rule that the latest return wins, histories differ: the corrections matter."""
    first = by_child(english_rows(files, latest=False), parameters.states)
    last = by_child(english_rows(files), parameters.states)
    place = {child: [row[3] for row in rows] for child, rows in first.items()}
    assert sum(place[child] != [row[3] for row in rows] for child, rows in last.items()) >= 3


def test_each_return_holds_what_was_live_in_its_year(files):
    for path in (path for path in files if path.startswith("london/")):
        year = int(path[-8:-4])
        assert 2018 <= year <= 2024
        for row in files[path]:
            start, stop = day(row["DECOM"]), day(row["DEC"])
            assert start <= date(year, 3, 31)
            assert stop is OPEN or date(year - 2, 4, 1) <= stop <= date(year, 3, 31)
            assert (row["DEC"] == "") == (row["REC"] == "")


def test_an_open_row_stands_again_in_the_next_return_but_for_a_few(files):
    """Those few were followed by another placement, and no later return has them."""
    by_year = defaultdict(list)
    for path in (path for path in files if path.startswith("london/")):
        by_year[int(path[-8:-4])] += files[path]
    years, forgotten = sorted(by_year), []
    for one, two in zip(years, years[1:], strict=False):
        again = {(row["CHILD"], row["DECOM"]) for row in by_year[two]}
        still_open = {(row["CHILD"], row["DECOM"]) for row in by_year[one] if row["DEC"] == ""}
        forgotten += still_open - again
    returned = {(row["CHILD"], row["DECOM"]) for rows in by_year.values() for row in rows}
    starts = {}
    for child, start in returned:
        starts[child] = max(day(start), starts.get(child, date.min))
    assert 2 <= len(forgotten) < 0.1 * len(returned)
    assert all(day(start) < starts[child] for child, start in forgotten)


def test_the_rules_of_the_english_return(files):
    rows = by_child(english_rows(files), type("All", (), {"respite_legal_status": ()}))
    used = set()
    for placements in rows.values():
        assert placements[0][6] == "S"
        for one, two in zip(placements, placements[1:], strict=False):
            assert one[2] <= two[1]
            assert (two[6] == "S") == (one[4] != "X1")
            if one[4] == "X1":
                assert one[2] == two[1]
            else:
                assert one[2] < two[1]
            if two[6] == "L":
                assert (one[3], one[5]) != (two[3], two[5])
                assert one[3] == two[3]
        for _, start, stop, place, reason, legal, new in placements:
            used |= {place, reason, legal, new}
            assert stop is OPEN or start < stop
            assert legal == "E1" or place not in ("A5", "A6")
            assert reason not in ("E45", "E46") or place.startswith("U")
            if reason in ("E43", "E44"):
                assert stop <= date(2018, 3, 31)
            if reason in ("E45", "E46", "E47", "E48"):
                assert stop >= date(2018, 4, 1)
            if legal in ("V3", "V4"):
                assert (stop - start).days <= 17
    assert {"P1", "U3", "U4", "V3", "L", "S", "E4A", "X1", "E12"} <= used


def test_adoption_ends_an_adoptive_placement(returned):
    adopted = [rows[-1] for rows in returned.values() if rows[-1][4] in ("E11", "E12", "D_ADOPTED")]
    placed = [row for row in adopted if row[3] in ("A3", "A4", "A5", "A6", "S_ADOPTERS")]
    # A child adopted on the first days of a stay in care has no room for the placement before the order.
    assert len(placed) >= 0.97 * len(adopted) > 40
