"""Two cuts -> what became known between them."""

import argparse

from analysis.steps.common import add_path, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--view", choices=("open", "closed"), required=True, help="whose tables")
    add_path(parser, "before", "output folder of the run at the earlier cut")
    add_path(parser, "after", "output folder of the run at the later cut")
    add_path(parser, "out", "folder for the numbers of changes")
    add_path(parser, "keys", "list of all changes with their keys, for the data managers", required=False)


def run(options: argparse.Namespace) -> None:
    import json

    import pandas as pd

    from analysis.data.delta import changes, count_changes
    from analysis.data.table import read_text, to_csv
    from analysis.data.walls import check_destination
    from analysis.data.writing import write_all
    from analysis.sources.snapshot import read_cut

    declared, view = spec(), options.view
    for path in filter(None, (options.out, options.keys)):
        check_destination(path, audience=view)
    _check_keys(options)
    names = declared.table_names(layer="raw", audience=view)
    names += declared.table_names(layer="derived", audience="open") if view == "open" else ()
    found, sizes = [], {}
    for table in map(declared.table, names):
        first, second = (read_text(folder / table.path, table) for folder in (options.before, options.after))
        found.append(changes(first, second, table))
        sizes[table.name] = (len(first), len(second))
    told = pd.concat(found, ignore_index=True)
    counts = count_changes(told, sizes)
    root = "data" if view == "open" else "closed"
    cuts = {name: read_cut(getattr(options, name) / root / "cut.json") for name in ("before", "after")}
    body = json.dumps({**cuts, "changes": counts.to_dict("records")}, indent=1) + "\n"
    files = {
        options.out / "delta.csv": to_csv(counts.astype(str)),
        options.out / "delta.json": body.encode(),
    }
    write_all(files | ({options.keys: to_csv(told)} if options.keys else {}))
    say(f"delta: {len(told)} changes in {len(sizes)} tables")


def _check_keys(options: argparse.Namespace) -> None:
    from analysis.errors import CommandError

    if not options.keys:
        return
    # A run has its data beside what is open; any other folder may have that name.
    above = [each for each in options.keys.resolve().parents if each.name == "open"]
    if any((each.parent / "data").is_dir() for each in above):
        raise CommandError("--keys: the list names children; it may not lie in open/.")
