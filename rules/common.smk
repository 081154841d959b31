# Declarations and code inputs, read once. Nothing is written while this is parsed.
import sys
from datetime import datetime
from pathlib import Path

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT))

from snakemake.exceptions import WorkflowError

from analysis.errors import TrialError
from analysis.spec import digest, outputs
from analysis.spec.coded_arms import coded
from analysis.spec.code import module_closure
from analysis.spec.config import check_config, closed_files, raw_files
from analysis.spec.edition import check_cut, edition, is_interim
from analysis.spec.load import load_mapping, load_spec
from analysis.spec.previous import check_previous
from analysis.spec.tables import REVEALING_TABLES, TABLES_WITH_ARMS
from analysis.models.stamp import package_versions
from analysis.qc.families import FAMILIES, module_of
from analysis.qc.stamp import qc_versions

# The user's own file, when one is given, is the one to mend.
CONFIG_FILE = Path(str((workflow.overwrite_configfiles or ["config.yaml"])[-1])).name

try:
    CONFIG = check_config(config, ROOT, file=CONFIG_FILE)
    SPEC = load_spec(ROOT / "data_spec")
    CUT = CONFIG.data_cut or SPEC.trial.data_cut
    check_cut(SPEC, CUT, file=CONFIG_FILE)
    PLAN = edition(
        SPEC, CUT
    )  # what the reports of this cut show; data are made by the whole of the declarations
    LOOKS_BACK = "monitoring" in outputs.families_of(PLAN, "closed")
    check_previous(CONFIG, ROOT, cut=CUT, looks_back=LOOKS_BACK, file=CONFIG_FILE)
    MAPPING = load_mapping(ROOT / "data_spec", CONFIG.mapping)
    RAW_FILES = raw_files(CONFIG)
    CLOSED_FILES = closed_files(CONFIG, MAPPING, SPEC.table_names(layer="raw", audience="closed"))
except TrialError as error:
    raise WorkflowError(str(error)) from None

OUT = CONFIG.out
STARTED = f"{datetime.now():%Y-%m-%d %H:%M:%S}"  # logs older than this are of another run
ARMS = CONFIG.arm_labels
# The same where arms are known, with arms A and B if they are coded.
ARMS_PLAN = coded(PLAN) if ARMS == "coded" else PLAN
OPEN_TABLES = SPEC.table_names(layer="raw", audience="open")
CLOSED_TABLES = SPEC.table_names(layer="raw", audience="closed")
DERIVED_TABLES = SPEC.table_names(layer="derived", audience="open")


def closed_exports(wildcards):
    """The allocation and, beside it, every other export that reveals the arm."""
    if CONFIG.allocation_file is None:
        raise WorkflowError(
            f"{CONFIG_FILE}, allocation: none is given, so there is no closed view; build dummy instead."
        )
    return CLOSED_FILES


def pages_of(view):
    """Pages of a view. A rehearsal has no data of its own to describe."""
    names = ["report"] if view == "dummy" else ["report", "issues", "define"]
    return [f"{OUT}/{view}/{name}.html" for name in names]


def interim_pages(wildcards):
    """Pages of every view at an interim cut; at no other is there an interim report."""
    if not INTERIM:
        raise WorkflowError(
            f"{CONFIG_FILE}, data_cut: {CUT if CONFIG.data_cut else 'none is given, so the cut'} is not before the trial's "
            f"last data cut, {SPEC.trial.data_cut}, and there is no interim report to make; name a configuration with "
            "an earlier data_cut, such as --configfile config/interim-2014-12.yaml."
        )
    return [file for view in CONFIG.views for file in pages_of(view) + gates_of(view)]


# What only an interim report shows: the last meeting's run, what was agreed, and for whom a closed copy is.
INTERIM = is_interim(SPEC, CUT)
PREVIOUS = CONFIG.previous if INTERIM else None
NAMED = {"--recipient": CONFIG.recipient, "--copy-number": CONFIG.copy_number} if INTERIM else {}
ADDRESSEE = [part for option, text in NAMED.items() if text != "" for part in (option, str(text))]


def open_meetings(wildcards):
    """What earlier meetings agreed in their open sessions."""
    return [CONFIG.meetings] if INTERIM and CONFIG.meetings else []


def closed_meetings(wildcards):
    """The same of the closed sessions, where the arms are real."""
    return (
        [CONFIG.closed_meetings] if INTERIM and CONFIG.closed_meetings and wildcards.view == "closed" else []
    )


def delta_files(wildcards):
    """What became known since the last meeting, in the open tables and, where there are any, the closed ones."""
    views = ["open", "closed"] if wildcards.view == "closed" else ["open"]
    return [f"{OUT}/{view}/delta/delta.json" for view in views] if PREVIOUS else []


def pack_options(files):
    """Options that name the files of the committee's pack there are."""
    closed = files.get("closed_meetings", [])
    named = {"--meetings": files.meetings, "--closed-meetings": closed, "--delta": files.delta}
    return [part for option, paths in named.items() if paths for part in [option, *paths]]


def gates_of(view):
    """What must have passed before anything of a view is handed over; a rehearsal has no arms to be found out."""
    return [] if view == "dummy" else [f"{OUT}/{view}/gate.csv"]


def key_options(view):
    """Where it is kept which arm is called A, when arms are coded; it is drawn from the seed in the synthetic trial."""
    if ARMS == "named" or view == "dummy":
        return []
    seed = ["--seed", CONFIG.seed] if CONFIG.is_synthetic else []
    return ["--key", CONFIG.key_file, *seed]


def issue_files(wildcards):
    """What the rules found in the open tables, and in the closed ones where there are any."""
    open_files = expand(f"{OUT}/data/issues/{{table}}.csv", table=["exports", *OPEN_TABLES, "histories"])
    closed_files = expand(f"{OUT}/closed/issues/{{table}}.csv", table=["exports", *CLOSED_TABLES])
    return open_files + (closed_files if wildcards.view == "closed" else [])


def looks_taken(wildcards):
    """Results of monitoring at the last meeting's cut, for the family that looks back and for qc."""
    looks_back = LOOKS_BACK and getattr(wildcards, "family", "monitoring") == "monitoring"
    return (
        f"{CONFIG.previous}/{wildcards.view}/results/monitoring.json"
        if CONFIG.previous and looks_back
        else []
    )


def code(step, *modules):
    """Source files a step runs: Snakemake does not follow imports."""
    return module_closure("analysis.__main__", ROOT, entry=(f"analysis.steps.{step}", *modules))


# The same bytes from any number of cores, and the interpreter that runs this workflow.
shell.prefix(
    f'export PATH="{Path(sys.executable).parent}:$PATH" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 '
    "MKL_NUM_THREADS=1 PYTHONHASHSEED=0 PYTHONPATH=. MPLBACKEND=Agg SOURCE_DATE_EPOCH=0; set -euo pipefail; "
)


wildcard_constraints:
    view="closed|dummy",
    family="[a-z_]+",
