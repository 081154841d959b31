# Views with arms: closed (the real allocation) and dummy (a rehearsal drawn from a seed).
AGREEMENT = f"{OUT}/{{view}}/qc/agreement.json"
ALLOCATED = [f"{OUT}/{{view}}/allocated/{table}.csv" for table in TABLES_WITH_ARMS]
REVEALING = [f"{OUT}/{{view}}/derived/{table}.csv" for table in REVEALING_TABLES]


rule snapshot_closed:
    input:
        code=code("snapshot"),
        exports=closed_exports,
        earlier=CONFIG.closed_snapshot or [],
    output:
        f"{OUT}/closed/cut.json",
    log:
        f"{OUT}/logs/closed/snapshot.log",
    benchmark:
        f"{OUT}/benchmarks/closed/snapshot.tsv"
    params:
        cut=CUT,
        extracted=["--extracted", CONFIG.extracted] if CONFIG.extracted else [],
        earlier=["--same-as", CONFIG.closed_snapshot] if CONFIG.closed_snapshot else [],
        slice=digest.digest(SPEC.package.cutRules),
    shell:
        "umask 077; python -m analysis snapshot --restricted {input.exports:q} --cut {params.cut:q} {params.extracted:q} "
        "{params.earlier:q} --out {output:q} 2>&1 | tee {log:q}"


rule ingest_closed:
    input:
        code=code("ingest"),
        mapping=f"data_spec/mappings/{CONFIG.mapping}.yaml",
        exports=closed_exports,
        snapshot=ancient(f"{OUT}/closed/cut.json"),
    output:
        tables=expand(f"{OUT}/closed/ingest/{{table}}.csv", table=[*CLOSED_TABLES, "rows"]),
        issues=f"{OUT}/closed/issues/exports.csv",
    log:
        f"{OUT}/logs/closed/ingest.log",
    benchmark:
        f"{OUT}/benchmarks/closed/ingest.tsv"
    params:
        folder=lambda wildcards: CONFIG.raw_folder,
        mapping=CONFIG.mapping,
        tables=CLOSED_TABLES,
        out=lambda wildcards, output: Path(output.tables[0]).parent,
        slice=digest.clean_slice(SPEC),
    shell:
        "umask 077; python -m analysis ingest --raw {params.folder:q} --allocation {input.exports[0]:q} --mapping {params.mapping:q} "
        "--tables {params.tables:q} --out {params.out:q} --issues {output.issues:q} 2>&1 | tee {log:q}"


rule clean_closed:
    input:
        code=code("clean"),
        tables=expand(f"{OUT}/closed/ingest/{{table}}.csv", table=CLOSED_TABLES),
        parents=expand(f"{OUT}/data/clean/{{table}}.csv", table=["families", "children"]),
        removed=f"{OUT}/data/removed.csv",
    output:
        tables=expand(f"{OUT}/closed/clean/{{table}}.csv", table=CLOSED_TABLES),
        issues=expand(f"{OUT}/closed/issues/{{table}}.csv", table=CLOSED_TABLES),
        readout=f"{OUT}/closed/cut.csv",
    log:
        f"{OUT}/logs/closed/clean.log",
    benchmark:
        f"{OUT}/benchmarks/closed/clean.tsv"
    params:
        raw=lambda wildcards, input: Path(input.tables[0]).parent,
        tables=CLOSED_TABLES,
        cut=CUT,
        parents=lambda wildcards, input: Path(input.parents[0]).parent,
        out=lambda wildcards, output: Path(output.tables[0]).parent,
        issues=lambda wildcards, output: Path(output.issues[0]).parent,
        slice=digest.clean_slice(SPEC),
    shell:
        "umask 077; python -m analysis clean --raw-tables {params.raw:q} --tables {params.tables:q} --cut {params.cut:q} "
        "--parents {params.parents:q} --without {input.removed:q} --out {params.out:q} --issues {params.issues:q} "
        "--readout {output.readout:q} 2>&1 | tee {log:q}"


rule draw_dummy:
    input:
        code=code("dummy"),
        families=f"{OUT}/data/clean/families.csv",
    output:
        f"{OUT}/dummy/clean/allocation.csv",
    log:
        f"{OUT}/logs/dummy/dummy.log",
    benchmark:
        f"{OUT}/benchmarks/dummy/dummy.tsv"
    params:
        seed=CONFIG.seed,
    shell:
        "umask 077; python -m analysis dummy --families {input.families:q} --seed {params.seed:q} --out {output:q} 2>&1 | tee {log:q}"


rule allocate:
    input:
        code=code("allocate"),
        derived=expand(f"{OUT}/data/derived/{{table}}.csv", table=DERIVED_TABLES),
        allocation=f"{OUT}/{{view}}/clean/allocation.csv",
        delivery=branch(
            lambda wildcards: wildcards.view == "closed" and ARMS == "named",
            then=f"{OUT}/closed/clean/delivery.csv",
            otherwise=[],
        ),
    output:
        ALLOCATED,
        revealing=REVEALING,
    log:
        f"{OUT}/logs/{{view}}/allocate.log",
    benchmark:
        f"{OUT}/benchmarks/{{view}}/allocate.tsv"
    params:
        derived=lambda wildcards, input: Path(input.derived[0]).parent,
        delivery=lambda wildcards, input: ["--delivery", input.delivery] if input.delivery else [],
        arms=ARMS,
        key=lambda wildcards: key_options(wildcards.view),
        out=lambda wildcards, output: Path(output[0]).parent,
        revealing=lambda wildcards, output: Path(output.revealing[0]).parent,
        slice=digest.derive_slice(SPEC),
    shell:
        "umask 077; python -m analysis allocate --view {wildcards.view} --derived {params.derived:q} --allocation {input.allocation:q} "
        "{params.delivery:q} --arms {params.arms} {params.key:q} --revealing {params.revealing:q} --out {params.out:q} 2>&1 | tee {log:q}"


rule fit:
    input:
        code=lambda wildcards: code("fit", f"analysis.models.{wildcards.family}"),
        tables=ALLOCATED,
        earlier=looks_taken,
    output:
        f"{OUT}/{{view}}/results/{{family}}.json",
    log:
        f"{OUT}/logs/{{view}}/fit-{{family}}.log",
    benchmark:
        f"{OUT}/benchmarks/{{view}}/fit-{{family}}.tsv"
    params:
        tables=lambda wildcards, input: Path(input.tables[0]).parent,
        earlier=lambda wildcards, input: ["--earlier", input.earlier] if input.earlier else [],
        cut=CUT,
        arms=ARMS,
        slice=lambda wildcards: digest.family_slice(ARMS_PLAN, wildcards.family),
        packages=package_versions(),
    shell:
        "umask 077; python -m analysis fit --family {wildcards.family} --view {wildcards.view} --cut {params.cut:q} --arms {params.arms} "
        "--tables {params.tables:q} {params.earlier:q} --out {output:q} 2>&1 | tee {log:q}"


rule qc:
    input:
        code=code("qc", *map(module_of, FAMILIES)),
        tables=ALLOCATED,
        earlier=looks_taken,
        results=expand(
            f"{OUT}/{{{{view}}}}/results/{{family}}.json", family=outputs.families_of(ARMS_PLAN, "closed")
        ),
        reference=expand(
            "{folder}/{file}", folder=CONFIG.reference or [], file=["expected.csv", "tables.csv"]
        ),
    output:
        AGREEMENT,
        f"{OUT}/{{view}}/qc/numbers.csv",
    log:
        f"{OUT}/logs/{{view}}/qc.log",
    benchmark:
        f"{OUT}/benchmarks/{{view}}/qc.tsv"
    params:
        tables=lambda wildcards, input: Path(input.tables[0]).parent,
        results=lambda wildcards, input: Path(input.results[0]).parent,
        earlier=lambda wildcards, input: ["--earlier", input.earlier] if input.earlier else [],
        reference=["--reference", CONFIG.reference] if CONFIG.reference else [],
        cut=CUT,
        arms=ARMS,
        out=lambda wildcards, output: Path(output[0]).parent,
        slice=digest.qc_slice(ARMS_PLAN),
        packages=qc_versions(),
    shell:
        "umask 077; python -m analysis qc --view {wildcards.view} --cut {params.cut:q} --arms {params.arms} --tables {params.tables:q} "
        "--results {params.results:q} {params.earlier:q} {params.reference:q} --out {params.out:q} 2>&1 | tee {log:q}"


rule present:
    input:
        code=code("present"),
        agreement=AGREEMENT,
        style="reports/trial.mplstyle",
        results=expand(
            f"{OUT}/{{{{view}}}}/results/{{family}}.json", family=outputs.families_of(ARMS_PLAN, "closed")
        ),
    output:
        expand(f"{OUT}/{{{{view}}}}/outputs/{{file}}", file=outputs.output_files(ARMS_PLAN, "closed")),
    log:
        f"{OUT}/logs/{{view}}/present.log",
    benchmark:
        f"{OUT}/benchmarks/{{view}}/present.tsv"
    params:
        cut=CUT,
        arms=ARMS,
        results=lambda wildcards, input: Path(input.results[0]).parent,
        out=lambda wildcards, output: Path(output[0]).parent,
        slice=digest.report_slice(ARMS_PLAN),
    shell:
        "umask 077; python -m analysis present --view {wildcards.view} --cut {params.cut:q} --arms {params.arms} --results {params.results:q} "
        "--agreement {input.agreement:q} --out {params.out:q} 2>&1 | tee {log:q}"


rule report:
    input:
        code=code("report"),
        templates=outputs.template_files(ROOT),
        results=expand(
            f"{OUT}/{{{{view}}}}/results/{{family}}.json", family=outputs.families_of(ARMS_PLAN, "closed")
        ),
        outputs=expand(f"{OUT}/{{{{view}}}}/outputs/{{file}}", file=outputs.output_files(ARMS_PLAN, "closed")),
        tables=ALLOCATED,
        agreement=AGREEMENT,
        issues=issue_files,
        meetings=open_meetings,
        closed_meetings=closed_meetings,
        delta=delta_files,
    output:
        page=f"{OUT}/{{view}}/report.html",
        word=f"{OUT}/{{view}}/report.docx",
        manifest=f"{OUT}/{{view}}/manifest.csv",
    log:
        f"{OUT}/logs/{{view}}/report.log",
    benchmark:
        f"{OUT}/benchmarks/{{view}}/report.tsv"
    params:
        results=lambda wildcards, input: Path(input.results[0]).parent,
        outputs=lambda wildcards, input: Path(input.outputs[0]).parent,
        tables=lambda wildcards, input: Path(input.tables[0]).parent,
        issues=lambda wildcards, input: sorted({str(Path(each).parent) for each in input.issues}),
        cut=CUT,
        pack=lambda wildcards, input: pack_options(input) + ADDRESSEE,
        arms=ARMS,
        synthetic=["--synthetic"] if CONFIG.is_synthetic else [],
        slice=digest.report_slice(ARMS_PLAN),
    shell:
        "umask 077; python -m analysis report --view {wildcards.view} --cut {params.cut:q} --arms {params.arms} --results {params.results:q} "
        "--outputs {params.outputs:q} --tables {params.tables:q} --agreement {input.agreement:q} --issues {params.issues:q} "
        "{params.synthetic:q} {params.pack:q} --out {output.page:q} --word {output.word:q} --manifest {output.manifest:q} 2>&1 | tee {log:q}"


rule delta_closed:
    input:
        code=code("delta"),
        before=ancient(f"{PREVIOUS}/closed/manifest.csv"),
        tables=expand(f"{OUT}/closed/clean/{{table}}.csv", table=CLOSED_TABLES),
    output:
        counts=f"{OUT}/closed/delta/delta.csv",
        body=f"{OUT}/closed/delta/delta.json",
        which=f"{OUT}/closed/delta/keys.csv",
    log:
        f"{OUT}/logs/closed/delta.log",
    benchmark:
        f"{OUT}/benchmarks/closed/delta.tsv"
    params:
        before=PREVIOUS,
        after=lambda wildcards: OUT,
        out=lambda wildcards, output: Path(output.counts).parent,
        slice=digest.clean_slice(SPEC),
    shell:
        "umask 077; python -m analysis delta --view closed --before {params.before:q} --after {params.after:q} "
        "--out {params.out:q} --keys {output.which:q} 2>&1 | tee {log:q}"


rule issues_closed:
    input:
        code=code("issues"),
        templates=outputs.template_files(ROOT),
        ingested=expand(f"{OUT}/closed/ingest/{{table}}.csv", table=[*CLOSED_TABLES, "rows"]),
        clean=expand(f"{OUT}/closed/clean/{{table}}.csv", table=CLOSED_TABLES),
        parents=expand(f"{OUT}/data/clean/{{table}}.csv", table=["families", "children"]),
        issues=expand(f"{OUT}/closed/issues/{{table}}.csv", table=["exports", *CLOSED_TABLES]),
    output:
        page=f"{OUT}/closed/issues.html",
        lists=expand(f"{OUT}/closed/issue_lists/{{file}}", file=outputs.issue_lists(SPEC)),
    log:
        f"{OUT}/logs/closed/issues.log",
    benchmark:
        f"{OUT}/benchmarks/closed/issues.tsv"
    params:
        ingested=lambda wildcards, input: Path(input.ingested[0]).parent,
        clean=lambda wildcards, input: Path(input.clean[0]).parent,
        parents=lambda wildcards, input: Path(input.parents[0]).parent,
        issues=lambda wildcards, input: Path(input.issues[0]).parent,
        lists=lambda wildcards, output: Path(output.lists[0]).parent,
        cut=CUT,
        synthetic=["--synthetic"] if CONFIG.is_synthetic else [],
        slice=digest.issue_slice(SPEC),
    shell:
        "umask 077; python -m analysis issues --view closed --cut {params.cut:q} --ingested {params.ingested:q} --clean {params.clean:q} "
        "--parents {params.parents:q} --issues {params.issues:q} {params.synthetic:q} --lists {params.lists:q} "
        "--out {output.page:q} 2>&1 | tee {log:q}"


rule define_closed:
    input:
        code=code("define"),
        mapping=f"data_spec/mappings/{CONFIG.mapping}.yaml",
        templates=outputs.template_files(ROOT),
    output:
        page=f"{OUT}/closed/define.html",
        package=f"{OUT}/closed/datapackage.json",
    log:
        f"{OUT}/logs/closed/define.log",
    benchmark:
        f"{OUT}/benchmarks/closed/define.tsv"
    params:
        mapping=CONFIG.mapping,
        cut=CUT,
        synthetic=["--synthetic"] if CONFIG.is_synthetic else [],
        slice=digest.issue_slice(SPEC),
    shell:
        "umask 077; python -m analysis define --view closed --mapping {params.mapping:q} --cut {params.cut:q} {params.synthetic:q} "
        "--package {output.package:q} --out {output.page:q} 2>&1 | tee {log:q}"


# The same beside the arms: rows, columns and counts of what is open.
rule gate_closed:
    input:
        code=code("gate"),
        opened=pages_of("open"),
        closed=pages_of("closed"),
    output:
        f"{OUT}/closed/gate.csv",
    log:
        f"{OUT}/logs/closed/gate.log",
    benchmark:
        f"{OUT}/benchmarks/closed/gate.tsv"
    params:
        tree=lambda wildcards, output: Path(output[0]).parents[1],
        closed=lambda wildcards, output: Path(output[0]).parent,
        slice=digest.gate_slice(SPEC),
    shell:
        "umask 077; python -m analysis gate --tree {params.tree:q} --closed {params.closed:q} --out {output:q} 2>&1 | tee {log:q}"
