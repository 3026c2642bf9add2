"""What stands in ops/, read as programs read it, and what the code exports."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from fairlead.telemetry.gauges import (
    Gauges,
    NicheGauges,
    PaymentGauges,
    QueuedNotifications,
    QueueGauges,
    ReconciliationGauges,
    ReportGauges,
)
from fairlead.telemetry.metrics import make_metrics
from fairlead.telemetry.scrape import Scrape

ROOT = Path(__file__).parents[2]
OPS = ROOT / "ops"
ALERTS = OPS / "prometheus" / "alerts.yml"
ALERTS_TEST = OPS / "prometheus" / "alerts_test.yml"

_METRIC = re.compile(r"\bfairlead_[a-z0-9_]+")
_ALL_ONE = Gauges(
    (QueueGauges("q", 1, 1, 1, 1, 1, 1),),
    (NicheGauges("n", 1, 1, 1, 1),),
    (QueuedNotifications("c", 1, 1, 1),),
    {"active": 1},
    1,
    1,
    1,
    ReconciliationGauges(1, 1, 1),
    {("t", "failed"): 1},
    ReportGauges(1, 1, 1),
    PaymentGauges(1, 1, 1),
)


def read_yaml(path: Path) -> Any:
    """The file's only document."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    return json.loads((OPS / "grafana" / "dashboard.json").read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    """Every alert."""
    return [rule for group in read_yaml(ALERTS)["groups"] for rule in group["rules"]]


def metrics_in(texts: Iterable[str]) -> set[str]:
    """The metrics of ours that these expressions name."""
    return {name for text in texts for name in _METRIC.findall(text)}


def counter_names() -> set[str]:
    """The series that a process counts itself, histograms with their three endings."""
    names: set[str] = set()
    for family in make_metrics().registry.collect():
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        names |= {family.name + ending for ending in endings if family.name.startswith("fairlead_")}
    return names


def gauge_names() -> set[str]:
    """The series that are read at a scrape, from the database and elsewhere."""
    text = Scrape(lambda: _ALL_ONE).text().decode()
    return {
        line.split()[2] for line in text.splitlines() if line.startswith("# TYPE fairlead_") and line.endswith("gauge")
    }


def documented_names() -> set[str]:
    """The metrics as a person calls them: a histogram is one of them."""
    families = {family.name for family in make_metrics().registry.collect() if family.name.startswith("fairlead_")}
    counters = {name for name in counter_names() if name.endswith("_total")}
    return {name for name in families if name + "_total" not in counters} | counters | gauge_names()
