"""The committed example is what the workflow makes today (`make example` renews it)."""

import re

import pytest

from tests.workflow.conftest import ROOT, Copy

EXAMPLE = ROOT / "docs/example"
# Digests of full-precision results differ in their last bits between processors; what a reader sees does not.
DIGEST = re.compile(r"[0-9a-f]{12,64}")


@pytest.mark.parametrize("view", ["open", "closed"])
def test_the_committed_report_is_current(finished: Copy, view):
    made = (finished.folder / f"out/{view}/report.html").read_text()
    kept = (EXAMPLE / f"{view}.html").read_text()
    assert DIGEST.sub("-", made) == DIGEST.sub("-", kept), "run `make example` and commit docs/example"


def test_the_committed_flow_is_current(finished: Copy):
    assert (finished.folder / "out/closed/outputs/F1.txt").read_text() == (EXAMPLE / "F1.txt").read_text()
