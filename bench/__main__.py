"""`python -m bench`: measure, print the tables, and write the figures as JSON where asked.

python -m bench             how fast leads are distributed (the same as `bench engine`)
python -m bench latency     from approving one lead to its being assigned by a worker
python -m bench burst       thousands of leads approved at once
python -m bench emails      emails a second to a local mail server, and what a backlog of them does to decisions
python -m bench queue       what a job costs: enqueued, fetched, ended; and what a signal costs
python -m bench http        the API under load, with a million leads in the tables (needs `wrk`)
python -m bench console     every page of the console, asked many times with a year of a million leads in the tables
python -m bench verify      how long proving the past takes as it grows, up to a million assignments
python -m bench rosters     how a process that is behind catches up, by the journal and by the tables
python -m bench locking     locking the providers that a decision consults, or all that it could consult
python -m bench limits      how much of its rate distribution keeps with limits, schedules, price rules and new filters
python -m bench compare WITH  how much faster this checkout is than another one (a path or a revision)
python -m bench past        a niche with a long past: explaining it, and a new process's first distribution
python -m bench contains    how long `contains` takes on a text, all pieces at once and one after the other
python -m bench filters     what a lead costs by filters of version 1 and of version 2
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.burst import BurstEffort, measure_bursts
from bench.catching_up import CatchingUpEffort, measure_catching_up
from bench.chart import queue_chart
from bench.compare import CompareEffort, compare, compared_as_json, compared_as_markdown, write_to_page
from bench.console import ConsoleEffort, console_as_json, console_as_markdown, measure_console, write_console
from bench.containing import ContainingEffort, measure_containing
from bench.emails import EmailEffort, emails_as_json, emails_as_markdown, measure_emails
from bench.filters import FiltersEffort, filters_as_json, filters_as_markdown, measure_filters
from bench.http_load import HttpEffort, measure_http
from bench.http_report import http_as_json, http_as_markdown
from bench.latency import LatencyEffort, measure_latency
from bench.limited import ALL, KEPT, KINDS, LimitedEffort, limited_as_json, limited_as_markdown, measure_limited
from bench.locking import Locking, LockingEffort, measure_locking
from bench.locking_report import locking_as_json, locking_as_markdown
from bench.memory import measure_roster
from bench.parts_report import caught_up_as_json, caught_up_as_markdown, contained_as_json, contained_as_markdown
from bench.past import PastEffort, measure_past, past_as_json, past_as_markdown
from bench.population import POPULATIONS
from bench.proof import ProofEffort, measure_proofs, proofs_as_json, proofs_as_markdown
from bench.queue import QueueEffort, measure_queue, queue_as_json, queue_as_markdown
from bench.report import as_json, as_markdown
from bench.rounds import Effort, measure
from bench.server import server, server_version
from bench.worker_report import burst_as_json, burst_as_markdown, latency_as_json, latency_as_markdown
from bench.year import YearEffort

SIZES = (100, 1000, 10_000)
QUICK = Effort(rounds=2, batches=1, single_leads=2, conventional_leads=1, commits=5, batch_limit=5)
QUICK_LATENCY = LatencyEffort(rounds=2, leads=2, subscriptions_per_level=20, traffic_leads=4, traffic_per_second=20.0)
QUICK_BURST = BurstEffort(
    leads=10, niches=2, subscriptions_per_level=20, email_seconds=2.0, sample_seconds=0.05, clients=2
)
QUICK_EMAILS = EmailEffort(sold_leads=5, single_leads=3, warm_up_leads=1, subscriptions_per_level=20, seconds=5.0)
QUICK_QUEUE = QueueEffort(jobs=60, rounds=1)
QUICK_HTTP = HttpEffort(
    subscriptions_per_level=20, sold_leads=30, pending_leads=2_000, other_leads=500, seconds=2, pages=3
)
QUICK_CONSOLE = ConsoleEffort(
    YearEffort(leads=120, niches=2, providers=20, patterns=10, pending=5), asks=2, keeps_pieces=False
)
QUICK_PROOF = ProofEffort(assignments=(100, 300), niches=2, subscriptions_per_level=20)

QUICK_CATCHING_UP = CatchingUpEffort(providers=(20,), entries=5, rounds=2)
QUICK_LOCKING = LockingEffort(sizes=(20,), shared_sizes=(20,), shared_by=2, rounds=2, transactions={5: 1, 1: 2})
QUICK_LIMITED = LimitedEffort(sizes=(20,), effort=QUICK)
QUICK_COMPARE = CompareEffort(sizes=(20,), rounds=2, batches=1, single_leads=3)
QUICK_PAST = PastEffort(providers=20, entries=400, explained=20, explained_slowly=2, processes=1)
QUICK_CONTAINING = ContainingEffort(pieces=(100,), characters=500, rounds=2)
QUICK_FILTERS = FiltersEffort(subscriptions=(200,), leads=10, rounds=2, lists=3, list_values=200)


def engine(wanted: argparse.Namespace) -> int:
    """0 when both databases of every comparison held the same rows, 1 otherwise."""
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
    _show(as_markdown(report), report, wanted.json)
    wrong = [difference for one in measured for difference in one.tables_that_differ]
    if wrong:
        print(f"bench: not the same rows as on the floor: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


def latency(wanted: argparse.Namespace) -> int:
    """0 when every lead was sold."""
    effort = QUICK_LATENCY if wanted.quick else LatencyEffort(rounds=wanted.rounds, seed=wanted.seed)
    with server(is_durable=not wanted.quick) as server_url:
        report = latency_as_json(measure_latency(server_url, effort), effort, server_version(server_url))
    _show(latency_as_markdown(report), report, wanted.json)
    return 0


def limits(wanted: argparse.Namespace) -> int:
    """0 when enough of the rate is kept at each size."""
    effort = Effort(rounds=wanted.rounds, seed=wanted.seed)
    chosen = QUICK_LIMITED if wanted.quick else LimitedEffort(tuple(wanted.sizes), tuple(wanted.kinds), effort)
    with server(is_durable=not wanted.quick) as server_url:
        measured = measure_limited(server_url, chosen)
        report = limited_as_json(measured, server_version(server_url))
    _show(limited_as_markdown(report), report, wanted.json)
    return 0 if wanted.quick or all(each.kept(ALL) >= KEPT for each in measured if ALL in wanted.kinds) else 1


def burst(wanted: argparse.Namespace) -> int:
    """0 when every lead was decided and every invariant held afterwards."""
    effort = QUICK_BURST if wanted.quick else BurstEffort(leads=wanted.leads, niches=wanted.niches, seed=wanted.seed)
    with server(is_durable=not wanted.quick) as server_url:
        measured = measure_bursts(server_url, effort)
        report = burst_as_json(measured, effort, server_version(server_url))
    _show(burst_as_markdown(report), report, wanted.json)
    if wanted.chart:
        wanted.chart.write_text(queue_chart(measured.bursts), encoding="utf-8")
    return 0


def emails(wanted: argparse.Namespace) -> int:
    """0 when every lead was decided."""
    effort = QUICK_EMAILS if wanted.quick else EmailEffort(seed=wanted.seed)
    with server(is_durable=not wanted.quick) as server_url:
        report = emails_as_json(measure_emails(server_url, effort), effort, server_version(server_url))
    _show(emails_as_markdown(report), report, wanted.json)
    return 0


def queue(wanted: argparse.Namespace) -> int:
    """0 when every job was done."""
    effort = QUICK_QUEUE if wanted.quick else QueueEffort(rounds=wanted.rounds)
    with server(is_durable=not wanted.quick) as server_url:
        report = queue_as_json(measure_queue(server_url, effort), effort, server_version(server_url))
    _show(queue_as_markdown(report), report, wanted.json)
    return 0


def http(wanted: argparse.Namespace) -> int:
    """0 when every request was answered, and with no error."""
    effort = QUICK_HTTP if wanted.quick else HttpEffort(seconds=wanted.seconds, seed=wanted.seed)
    with server(is_durable=not wanted.quick) as server_url:
        report = http_as_json(measure_http(server_url, effort), effort, server_version(server_url))
    _show(http_as_markdown(report), report, wanted.json)
    errors = sum(
        figures["status_errors"] + figures["connection_errors"]
        for load in report["loads"]
        for figures in load["figures"].values()
    )
    return 1 if errors else 0


def console(wanted: argparse.Namespace) -> int:
    """0 when every page was answered, and with no error."""
    effort = ConsoleEffort(YearEffort(wanted.leads, wanted.niches, wanted.providers, seed=wanted.seed), wanted.asks)
    effort = QUICK_CONSOLE if wanted.quick else effort
    if wanted.keep is not None:
        wanted.keep.mkdir(parents=True, exist_ok=True)
    state = None if wanted.keep is None else wanted.keep / "population.json"
    with server(is_durable=not wanted.quick, kept_in=wanted.keep) as server_url:
        report = console_as_json(measure_console(server_url, effort, state), effort, server_version(server_url))
    table = console_as_markdown(report)
    _show(table, report, wanted.json)
    if wanted.write:
        write_console(table)
    return 1 if any(each["errors"] for each in report["pages"]) else 0


def proof(wanted: argparse.Namespace) -> int:
    """0 when every check held at every size."""
    effort = QUICK_PROOF if wanted.quick else ProofEffort(assignments=tuple(wanted.assignments), seed=wanted.seed)
    with server(is_durable=False, has_statistics=False) as server_url:
        report = proofs_as_json(measure_proofs(server_url, effort), effort, server_version(server_url))
    _show(proofs_as_markdown(report), report, wanted.json)
    return 0


def rosters(wanted: argparse.Namespace) -> int:
    """0 when both ways of catching up led to the same rosters."""
    effort = QUICK_CATCHING_UP if wanted.quick else CatchingUpEffort(seed=wanted.seed)
    with server(is_durable=False) as server_url:
        report = caught_up_as_json(measure_catching_up(server_url, effort), effort, server_version(server_url))
    _show(caught_up_as_markdown(report), report, wanted.json)
    return 0


def locking(wanted: argparse.Namespace) -> int:
    """0 when every way decided the same."""
    effort = QUICK_LOCKING if wanted.quick else LockingEffort(seed=wanted.seed, sizes=tuple(wanted.sizes))
    with server(is_durable=not wanted.quick) as server_url:
        measured: list[Locking] = []
        for case in measure_locking(server_url, effort):
            measured.append(case)
            print(locking_as_markdown(locking_as_json([case], effort, "")), file=sys.stderr, flush=True)
        report = locking_as_json(measured, effort, server_version(server_url))
    _show(locking_as_markdown(report), report, wanted.json)
    return 0


def past(wanted: argparse.Namespace) -> int:
    """0 when snapshots explained as the whole journal does."""
    effort = QUICK_PAST if wanted.quick else PastEffort(entries=wanted.entries, seed=wanted.seed)
    with server(is_durable=False) as server_url:
        report = past_as_json(measure_past(server_url, effort), effort, server_version(server_url))
    _show(past_as_markdown(report), report, wanted.json)
    return 0


def contains(wanted: argparse.Namespace) -> int:
    """0 when both ways found the same pieces."""
    effort = QUICK_CONTAINING if wanted.quick else ContainingEffort(seed=wanted.seed)
    report = contained_as_json(measure_containing(effort), effort)
    _show(contained_as_markdown(report), report, wanted.json)
    return 0


def filters(wanted: argparse.Namespace) -> int:
    """0 when every index found what its filters say."""
    effort = QUICK_FILTERS if wanted.quick else FiltersEffort(seed=wanted.seed)
    report = filters_as_json(measure_filters(effort), effort)
    _show(filters_as_markdown(report), report, wanted.json)
    return 0


def comparison(wanted: argparse.Namespace) -> int:
    """0 when both checkouts did their rounds."""
    sizes, rounds = tuple(wanted.sizes), wanted.rounds
    effort = QUICK_COMPARE if wanted.quick else CompareEffort(sizes, wanted.population, rounds, seed=wanted.seed)
    report = compared_as_json(compare(wanted.other, effort), wanted.other, effort)
    table = compared_as_markdown(report)
    _show(table, report, wanted.json)
    if wanted.write:
        write_to_page(table)
    return 0


def _show(tables: str, report: Mapping[str, Any], json_file: Path | None) -> None:
    print(tables)
    if json_file:
        json_file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


MEASUREMENTS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "engine": engine,
    "latency": latency,
    "burst": burst,
    "emails": emails,
    "queue": queue,
    "http": http,
    "console": console,
    "verify": proof,
    "rosters": rosters,
    "locking": locking,
    "limits": limits,
    "contains": contains,
    "filters": filters,
    "compare": comparison,
    "past": past,
}


def main(words: list[str]) -> int:
    """The exit code of the measurement that the words ask for; without its name, of the engine's."""
    if not words or (words[0] not in MEASUREMENTS and words[0] not in ("-h", "--help")):
        words = ["engine", *words]
    wanted = _parser().parse_args(words)
    return MEASUREMENTS[wanted.measurement](wanted)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="measurement", required=True, metavar="MEASUREMENT")
    by_name = {name: parts.add_parser(name) for name in MEASUREMENTS}
    of_engine, of_latency, of_burst = by_name["engine"], by_name["latency"], by_name["burst"]
    of_http, of_verify = by_name["http"], by_name["verify"]
    for part in by_name.values():
        part.add_argument("--quick", action="store_true", help="a smoke test of every part; no figure means anything")
        part.add_argument("--seed", type=int, default=1, help="chooses the filters and leads (1)")
        part.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    _describe_comparison(by_name["compare"])
    names = [population.name for population in POPULATIONS]
    of_engine.add_argument("--rounds", type=int, default=5, help="how often every engine has its turn (5)")
    of_engine.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="subscriptions per level")
    of_engine.add_argument(
        "--populations", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names)
    )
    of_latency.add_argument("--rounds", type=int, default=15, help="rounds of 20 leads one at a time (15)")
    by_name["queue"].add_argument("--rounds", type=int, default=5, help="how often every way has its turn (5)")
    of_burst.add_argument("--leads", type=int, default=5_000, help="leads in all (5000)")
    of_burst.add_argument("--niches", type=int, default=5, help="niches that they are in (5)")
    of_burst.add_argument("--chart", type=Path, metavar="FILE", help="draw what waited over time here, as SVG")
    of_http.add_argument("--seconds", type=int, default=60, help="how long each of the two loads lasts (60)")
    by_name["locking"].add_argument(
        "--sizes", type=int, nargs="+", default=list(LockingEffort().sizes), help="subscriptions per level, one niche"
    )
    of_limits = by_name["limits"]
    of_limits.add_argument("--rounds", type=int, default=5, help="how often each kind has its turn (5)")
    of_limits.add_argument(
        "--kinds", nargs="+", choices=[*KINDS], default=[*KINDS], help="what is measured beside none"
    )
    of_limits.add_argument("--sizes", type=int, nargs="+", default=list(LimitedEffort().sizes), help="per level")
    _describe_console(by_name["console"])
    sizes = list(ProofEffort().assignments)
    of_verify.add_argument("--assignments", type=int, nargs="+", default=sizes, help="at which sizes, ascending")
    by_name["past"].add_argument("--entries", type=int, default=100_000, help="entries of the journal (100000)")
    return parser


def _describe_console(part: argparse.ArgumentParser) -> None:
    year = YearEffort()
    part.add_argument("--leads", type=int, default=year.leads, help=f"leads of the year ({year.leads})")
    part.add_argument("--niches", type=int, default=year.niches, help=f"niches that they are in ({year.niches})")
    part.add_argument("--providers", type=int, default=year.providers, help=f"providers ({year.providers})")
    part.add_argument("--asks", type=int, default=ConsoleEffort().asks, help="how often each page is asked (40)")
    part.add_argument("--keep", type=Path, metavar="DIRECTORY", help="keep the population there, or begin with it")
    part.add_argument("--write", action="store_true", help="put the table into docs/performance.md")


def _describe_comparison(part: argparse.ArgumentParser) -> None:
    effort = CompareEffort()
    part.add_argument("other", metavar="WITH", help="the other checkout: a directory, or a revision of this repository")
    part.add_argument(
        "--rounds", type=int, default=effort.rounds, help=f"how often each has its turn ({effort.rounds})"
    )
    part.add_argument("--sizes", type=int, nargs="+", default=list(effort.sizes), help="subscriptions per level")
    part.add_argument("--population", choices=[each.name for each in POPULATIONS], default=effort.population)
    part.add_argument("--write", action="store_true", help="put the table into docs/performance.md")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
