# From raw exports to trial reports. Every rule ends in one `python -m analysis STEP ...`.
#
# Paths below the output folder (out/ unless config.yaml says otherwise):
#   data/{ingest,clean,issues,derived}/TABLE.csv     nobody's arm is known here
#   open/{results,outputs}/...  open/report.{html,docx}  for everybody in the trial
#   VIEW/{ingest,clean,allocated,results,qc,outputs}/  VIEW is closed (the real arms) or dummy (a rehearsal)
#   VIEW/manifest.csv                                every file of a report with its digest, analyses and origin
#   VIEW/report.{html,docx}                          for the committee or, with dummy arms, for nobody
#   {open,closed}/{issues,define}.html               what was found in the data, and what the tables hold
#   {open,closed}/delta/, data/delta.csv             where `previous` names the run at the last meeting's cut: what became
#                                                    known since, by table; and which rows and cells, for data managers
#   {open,closed}/gate.csv                           that nothing open tells an arm: without it a run has failed
#   logs/, benchmarks/                               one of each per job
from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/simulate.smk"
include: "rules/data.smk"
include: "rules/open.smk"
include: "rules/arms.smk"


# Snakemake makes the folders of a job's files for everybody to read; those of the closed side are its owner's alone.
onstart:
    shell(
        "for top in {OUT:q} {OUT:q}/logs {OUT:q}/benchmarks; do "
        'mkdir -p "$top/{CONFIG.secret_view}"; chmod 700 "$top/{CONFIG.secret_view}"; done'
    )


# What a job of this run said before it failed stands last, below the lists of files.
onerror:
    shell("echo; find {OUT:q}/logs -name '*.log' -newermt {STARTED:q} -exec grep -h '^error:' {{}} + || true")


localrules:
    all,
    interim,
    open,
    closed,
    dummy,


rule all:
    default_target: True
    input:
        [file for view in CONFIG.views for file in pages_of(view) + gates_of(view)],


# The data monitoring committee's pages: --configfile config/interim-2014-12.yaml
rule interim:
    input:
        interim_pages,


rule open:
    input:
        pages_of("open") + gates_of("open"),


rule closed:
    input:
        pages_of("closed") + gates_of("closed"),


rule dummy:
    input:
        pages_of("dummy"),
