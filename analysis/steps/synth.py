"""Write the synthetic trial."""

import argparse

from analysis.steps.common import DATA_SPEC, add_path, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=None, help="seed; the declared one unless given")
    parser.add_argument("--clean", action="store_true", help="without the dirt of real exports")
    add_path(parser, "raw", "folder for the raw exports")
    add_path(parser, "restricted", "folder for allocation, truth and list of dirt")


def run(options: argparse.Namespace) -> None:
    from analysis.spec.synthetic import load_synthetic
    from analysis.synth.trial import generate, write_trial

    parameters = load_synthetic(DATA_SPEC)
    seed = parameters.default_seed.value if options.seed is None else options.seed
    trial = generate(parameters, seed=seed, dirt=not options.clean)
    write_trial(trial, options.raw, options.restricted)
    say(f"synth: {len(trial.raw)} raw exports in {options.raw}")
