# The open view: pooled. No input here is an allocation and there is no view to choose.
rule fit_open:
    input:
        code=lambda wildcards: code("fit", f"analysis.models.{wildcards.family}"),
        tables=expand(f"{OUT}/data/derived/{{table}}.csv", table=DERIVED_TABLES),
    output:
        f"{OUT}/open/results/{{family}}.json",
    log:
        f"{OUT}/logs/open/fit-{{family}}.log",
    benchmark:
        f"{OUT}/benchmarks/open/fit-{{family}}.tsv"
    params:
        tables=lambda wildcards, input: Path(input.tables[0]).parent,
        cut=CUT,
        slice=lambda wildcards: digest.family_slice(PLAN, wildcards.family),
        packages=package_versions(),
    shell:
        "python -m analysis fit --family {wildcards.family} --view open --cut {params.cut:q} --tables {params.tables:q} "
        "--out {output:q} 2>&1 | tee {log:q}"


rule present_open:
    input:
        code=code("present"),
        style="reports/trial.mplstyle",
        results=expand(f"{OUT}/open/results/{{family}}.json", family=outputs.families_of(PLAN, "open")),
    output:
        expand(f"{OUT}/open/outputs/{{file}}", file=outputs.output_files(PLAN, "open")),
    log:
        f"{OUT}/logs/open/present.log",
    benchmark:
        f"{OUT}/benchmarks/open/present.tsv"
    params:
        cut=CUT,
        results=lambda wildcards, input: Path(input.results[0]).parent,
        out=lambda wildcards, output: Path(output[0]).parent,
        slice=digest.report_slice(PLAN),
    shell:
        "python -m analysis present --view open --cut {params.cut:q} --results {params.results:q} --out {params.out:q} 2>&1 | tee {log:q}"


rule report_open:
    input:
        code=code("report"),
        templates=outputs.template_files(ROOT),
        results=expand(f"{OUT}/open/results/{{family}}.json", family=outputs.families_of(PLAN, "open")),
        outputs=expand(f"{OUT}/open/outputs/{{file}}", file=outputs.output_files(PLAN, "open")),
        tables=expand(f"{OUT}/data/derived/{{table}}.csv", table=DERIVED_TABLES),
        issues=expand(f"{OUT}/data/issues/{{table}}.csv", table=["exports", *OPEN_TABLES, "histories"]),
        meetings=open_meetings,
        delta=expand("{out}/open/delta/delta.json", out=OUT if PREVIOUS else []),
    output:
        page=f"{OUT}/open/report.html",
        word=f"{OUT}/open/report.docx",
        manifest=f"{OUT}/open/manifest.csv",
    log:
        f"{OUT}/logs/open/report.log",
    benchmark:
        f"{OUT}/benchmarks/open/report.tsv"
    params:
        results=lambda wildcards, input: Path(input.results[0]).parent,
        outputs=lambda wildcards, input: Path(input.outputs[0]).parent,
        tables=lambda wildcards, input: Path(input.tables[0]).parent,
        issues=lambda wildcards, input: Path(input.issues[0]).parent,
        cut=CUT,
        pack=lambda wildcards, input: pack_options(input),
        synthetic=["--synthetic"] if CONFIG.is_synthetic else [],
        slice=digest.report_slice(PLAN),
    shell:
        "python -m analysis report --view open --cut {params.cut:q} --results {params.results:q} --outputs {params.outputs:q} "
        "--tables {params.tables:q} --issues {params.issues:q} {params.synthetic:q} {params.pack:q} --out {output.page:q} --word {output.word:q} --manifest {output.manifest:q} 2>&1 | tee {log:q}"


# What became known since the last meeting; which rows and cells, in data/, for the data managers.
rule delta_open:
    input:
        code=code("delta"),
        before=ancient(f"{PREVIOUS}/open/manifest.csv"),
        tables=expand(f"{OUT}/data/clean/{{table}}.csv", table=OPEN_TABLES)
        + expand(f"{OUT}/data/derived/{{table}}.csv", table=DERIVED_TABLES),
    output:
        counts=f"{OUT}/open/delta/delta.csv",
        body=f"{OUT}/open/delta/delta.json",
        which=f"{OUT}/data/delta.csv",
    log:
        f"{OUT}/logs/open/delta.log",
    benchmark:
        f"{OUT}/benchmarks/open/delta.tsv"
    params:
        before=PREVIOUS,
        after=lambda wildcards: OUT,
        out=lambda wildcards, output: Path(output.counts).parent,
        slice=digest.clean_slice(SPEC),
    shell:
        "python -m analysis delta --view open --before {params.before:q} --after {params.after:q} --out {params.out:q} "
        "--keys {output.which:q} 2>&1 | tee {log:q}"


rule issues_open:
    input:
        code=code("issues"),
        templates=outputs.template_files(ROOT),
        ingested=expand(f"{OUT}/data/ingest/{{table}}.csv", table=[*OPEN_TABLES, "rows"]),
        clean=expand(f"{OUT}/data/clean/{{table}}.csv", table=OPEN_TABLES),
        issues=expand(f"{OUT}/data/issues/{{table}}.csv", table=["exports", *OPEN_TABLES, "histories"]),
    output:
        page=f"{OUT}/open/issues.html",
        lists=expand(f"{OUT}/open/issues/{{file}}", file=outputs.issue_lists(SPEC)),
    log:
        f"{OUT}/logs/open/issues.log",
    benchmark:
        f"{OUT}/benchmarks/open/issues.tsv"
    params:
        ingested=lambda wildcards, input: Path(input.ingested[0]).parent,
        clean=lambda wildcards, input: Path(input.clean[0]).parent,
        issues=lambda wildcards, input: Path(input.issues[0]).parent,
        lists=lambda wildcards, output: Path(output.lists[0]).parent,
        cut=CUT,
        synthetic=["--synthetic"] if CONFIG.is_synthetic else [],
        slice=digest.issue_slice(SPEC),
    shell:
        "python -m analysis issues --view open --cut {params.cut:q} --ingested {params.ingested:q} --clean {params.clean:q} "
        "--parents {params.clean:q} --issues {params.issues:q} {params.synthetic:q} --lists {params.lists:q} "
        "--out {output.page:q} 2>&1 | tee {log:q}"


rule define_open:
    input:
        code=code("define"),
        mapping=f"data_spec/mappings/{CONFIG.mapping}.yaml",
        templates=outputs.template_files(ROOT),
    output:
        page=f"{OUT}/open/define.html",
        package=f"{OUT}/data/datapackage.json",
    log:
        f"{OUT}/logs/open/define.log",
    benchmark:
        f"{OUT}/benchmarks/open/define.tsv"
    params:
        mapping=CONFIG.mapping,
        cut=CUT,
        synthetic=["--synthetic"] if CONFIG.is_synthetic else [],
        slice=digest.issue_slice(SPEC),
    shell:
        "python -m analysis define --view open --mapping {params.mapping:q} --cut {params.cut:q} {params.synthetic:q} "
        "--package {output.package:q} --out {output.page:q} 2>&1 | tee {log:q}"


# What is open is handed over only when it tells no arm: a run without this file has failed.
rule gate_open:
    input:
        code=code("gate"),
        pages=pages_of("open"),
    output:
        f"{OUT}/open/gate.csv",
    log:
        f"{OUT}/logs/open/gate.log",
    benchmark:
        f"{OUT}/benchmarks/open/gate.tsv"
    params:
        tree=lambda wildcards, output: Path(output[0]).parents[1],
        slice=digest.gate_slice(SPEC),
    shell:
        "python -m analysis gate --tree {params.tree:q} --records .snakemake/metadata --out {output:q} 2>&1 | tee {log:q}"
