# Raw exports to derived tables. No rule here sees an arm.
rule snapshot:
    input:
        code=code("snapshot"),
        raw=RAW_FILES,
        corrections=CONFIG.corrections or [],
        earlier=CONFIG.snapshot or [],
    output:
        f"{OUT}/data/cut.json",
    log:
        f"{OUT}/logs/snapshot.log",
    benchmark:
        f"{OUT}/benchmarks/snapshot.tsv"
    params:
        folder=lambda wildcards: CONFIG.raw_folder,
        cut=CUT,
        extracted=["--extracted", CONFIG.extracted] if CONFIG.extracted else [],
        corrections=["--corrections", CONFIG.corrections] if CONFIG.corrections else [],
        earlier=["--same-as", CONFIG.snapshot] if CONFIG.snapshot else [],
        slice=digest.digest(SPEC.package.cutRules),
    shell:
        "python -m analysis snapshot --raw {params.folder:q} --cut {params.cut:q} {params.extracted:q} "
        "{params.corrections:q} {params.earlier:q} --out {output:q} 2>&1 | tee {log:q}"


rule ingest:
    input:
        code=code("ingest"),
        mapping=f"data_spec/mappings/{CONFIG.mapping}.yaml",
        raw=RAW_FILES,
        # Asked for so that nothing is read when the files are not those of the snapshot.
        snapshot=ancient(f"{OUT}/data/cut.json"),
    output:
        tables=expand(f"{OUT}/data/ingest/{{table}}.csv", table=[*OPEN_TABLES, "rows"]),
        issues=f"{OUT}/data/issues/exports.csv",
    log:
        f"{OUT}/logs/ingest.log",
    benchmark:
        f"{OUT}/benchmarks/ingest.tsv"
    params:
        folder=lambda wildcards: CONFIG.raw_folder,
        mapping=CONFIG.mapping,
        tables=OPEN_TABLES,
        out=lambda wildcards, output: Path(output.tables[0]).parent,
        slice=digest.clean_slice(SPEC),
    shell:
        "python -m analysis ingest --raw {params.folder:q} --mapping {params.mapping:q} --tables {params.tables:q} "
        "--out {params.out:q} --issues {output.issues:q} 2>&1 | tee {log:q}"


rule clean:
    input:
        code=code("clean"),
        tables=expand(f"{OUT}/data/ingest/{{table}}.csv", table=OPEN_TABLES),
        corrections=CONFIG.corrections or [],
    output:
        tables=expand(f"{OUT}/data/clean/{{table}}.csv", table=OPEN_TABLES),
        issues=expand(f"{OUT}/data/issues/{{table}}.csv", table=OPEN_TABLES),
        readout=f"{OUT}/data/cut.csv",
        removed=f"{OUT}/data/removed.csv",
    log:
        f"{OUT}/logs/clean.log",
    benchmark:
        f"{OUT}/benchmarks/clean.tsv"
    params:
        raw=lambda wildcards, input: Path(input.tables[0]).parent,
        tables=OPEN_TABLES,
        cut=CUT,
        corrections=["--corrections", CONFIG.corrections] if CONFIG.corrections else [],
        out=lambda wildcards, output: Path(output.tables[0]).parent,
        issues=lambda wildcards, output: Path(output.issues[0]).parent,
        slice=digest.clean_slice(SPEC),
    shell:
        "python -m analysis clean --raw-tables {params.raw:q} --tables {params.tables:q} --cut {params.cut:q} "
        "{params.corrections:q} --out {params.out:q} --issues {params.issues:q} --readout {output.readout:q} "
        "--removed {output.removed:q} 2>&1 | tee {log:q}"


rule derive:
    input:
        code=code("derive"),
        tables=expand(f"{OUT}/data/clean/{{table}}.csv", table=OPEN_TABLES),
    output:
        tables=expand(f"{OUT}/data/derived/{{table}}.csv", table=DERIVED_TABLES),
        issues=f"{OUT}/data/issues/histories.csv",
    log:
        f"{OUT}/logs/derive.log",
    benchmark:
        f"{OUT}/benchmarks/derive.tsv"
    params:
        clean=lambda wildcards, input: Path(input.tables[0]).parent,
        cut=CUT,
        out=lambda wildcards, output: Path(output.tables[0]).parent,
        slice=digest.derive_slice(SPEC),
    shell:
        "python -m analysis derive --clean {params.clean:q} --cut {params.cut:q} --out {params.out:q} "
        "--issues {output.issues:q} 2>&1 | tee {log:q}"
