"""A wrong declaration is told by file, entry, key and what may stand there; in our words."""

from typing import Any

import pytest

from analysis.errors import SpecError
from analysis.spec.base import parse
from analysis.spec.mapping import Mapping

ENTRY = {"kind": "tabular", "table": "families", "files": "a.csv", "dialect": "d", "columns": {}}
REDCAP = {**ENTRY, "kind": "redcap", "dictionary": "b.csv"}
RETURN = {**ENTRY, "kind": "ssda903", "latest_by": ["CHILD"]}


def told(*entries: dict[str, Any], **more: Any) -> str:
    body = {"name": "m", "dialects": {}, "missing": {}, "sources": list(entries), **more}
    with pytest.raises(SpecError) as stopped:
        parse(Mapping, body, file="mappings/m.yaml")
    return str(stopped.value)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (lambda: told(dialect={}), "mappings/m.yaml: no such key: dialect; is dialects meant?"),
        (
            lambda: told(dialects={"d": {"dates": [], "sep": ";"}}),
            "dialects, d: no such key: sep; allowed: format, delimiter, encoding,",
        ),
        (
            lambda: told(ENTRY, {**REDCAP, "dictonary": "x"}),
            "sources, entry 2 (families): no such key: dictonary; is dictionary meant?",
        ),
        (
            lambda: told({**REDCAP, "checkboxes": {"q": {"group": "g", "codes": {"1": "a"}, "non": ""}}}),
            "sources, entry 1 (families), checkboxes, q: no such key: non; is none meant?",
        ),
        (
            lambda: told({**RETURN, "linkage": {"file": "f", "child": "c", "child_id": "i", "year": "y"}}),
            "linkage: no such key: year; allowed: file, child, child_id, authority, ignore",
        ),
        (lambda: told({**ENTRY, "kind": "ssda"}), "no such kind: ssda; is ssda903 meant?"),
        (
            lambda: told({**ENTRY, "kind": "word"}),
            "no such kind: word; allowed: tabular, clas, redcap, ssda903",
        ),
        (lambda: told({"table": "families"}), "sources, entry 1 (families): the key kind is missing"),
        (lambda: told({**REDCAP, "labels": "perhaps"}), "entry 1 (families), labels: should be"),
        (lambda: told({**ENTRY, "files": "/a"}), "files: not a path or pattern below the raw folder"),
        (lambda: told({**ENTRY, "files": ""}), "entry 1 (families), files: String should have at least 1"),
        (lambda: told(sources=3), "sources: should be"),
    ],
)
def test_what_is_wrong_is_said_in_words_of_the_declaration(message, said: str) -> None:
    assert message().startswith("mappings/m.yaml: ")
    assert said in message()
    assert "permitted" not in message()
