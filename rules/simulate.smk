# The embedded default: a synthetic trial written as raw exports, its allocation apart from them.
rule synth:
    input:
        code=code("synth"),
        parameters="data_spec/synthetic.yaml",
    output:
        raw=directory(f"{OUT}/synthetic/raw"),
        allocation=f"{OUT}/synthetic/restricted/allocation.csv",
        others=expand(
            f"{OUT}/synthetic/restricted/{{file}}", file=["service/delivery.csv", "truth.json", "dirt.csv"]
        ),
    log:
        f"{OUT}/logs/synth.log",
    benchmark:
        f"{OUT}/benchmarks/synth.tsv"
    params:
        restricted=lambda wildcards, output: Path(output.allocation).parent,
    shell:
        "python -m analysis synth --raw {output.raw:q} --restricted {params.restricted:q} 2>&1 | tee {log:q}"
