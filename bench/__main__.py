"""`python -m bench`: measure, print the tables, and write the figures as JSON where asked."""

import argparse
import json
import sys
from pathlib import Path

from bench.memory import measure_roster
from bench.population import POPULATIONS
from bench.report import as_json, as_markdown
from bench.rounds import Effort, measure
from bench.server import server, server_version

SIZES = (100, 1000, 10_000)
QUICK = Effort(rounds=2, batches=1, single_leads=2, conventional_leads=1, commits=5, batch_limit=5)


def main() -> int:
    """0 when both databases of every comparison held the same rows, 1 otherwise."""
    wanted = _arguments()
    effort = QUICK if wanted.quick else Effort(rounds=wanted.rounds, seed=wanted.seed)
    sizes = [20] if wanted.quick else wanted.sizes
    with server(is_durable=not wanted.quick) as server_url:
        measured = []
        for population in [p for p in POPULATIONS if p.name in wanted.populations]:
            for size in sizes:
                print(f"{population.name}, {size:,} subscriptions per level ...", file=sys.stderr, flush=True)
                measured.append(measure(server_url, population, size, effort))
        rosters = [measure_roster(server_url, size) for size in sizes]
        report = as_json(measured, rosters, effort, server_version(server_url))
    print(as_markdown(report))
    if wanted.json:
        wanted.json.write_text(json.dumps(report, indent=2) + "\n")
    wrong = [difference for one in measured for difference in one.tables_that_differ]
    if wrong:
        print(f"bench: not the same rows as on the floor: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    names = [population.name for population in POPULATIONS]
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test of every part; no figure means anything")
    parser.add_argument("--rounds", type=int, default=5, help="how often every engine has its turn (5)")
    parser.add_argument("--seed", type=int, default=1, help="chooses the filters and leads (1)")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="subscriptions per level")
    parser.add_argument("--populations", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
