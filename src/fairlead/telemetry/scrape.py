"""What a scrape gets: this process's counters, and what is read from the database at that moment.

The counters always come. When the database is away, `fairlead_database_up` is 0 and what would be read from it is
missing: no value is better than an old one.
"""

from collections.abc import Callable, Iterable
from importlib.metadata import version

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from fairlead.telemetry.database_metrics import DatabaseCollector
from fairlead.telemetry.gauges import Gauges
from fairlead.telemetry.metrics import current_metrics, in_process_group

READ_TIMEOUT_SECONDS = 4.0
"""Prometheus gives up on a scrape after 10 s, and then has nothing at all."""


class Scrape:
    """Answers this process's scrapes: from its counters, and from the database where `read` is given.

    `read` may raise and may hang: a scrape ends little later than `timeout_seconds` all the same.
    """

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, read: Callable[[], Gauges] | None = None, timeout_seconds: float = READ_TIMEOUT_SECONDS) -> None:
        self._read_now = CollectorRegistry()
        self._read_now.register(_BuildCollector())
        if read is not None:
            self._read_now.register(DatabaseCollector(read, timeout_seconds))

    def text(self) -> bytes:
        """Everything, in Prometheus' text format. Safe in threads."""
        return generate_latest(_counters()) + generate_latest(self._read_now)


class _BuildCollector(Collector):
    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("fairlead_build_info", "Always 1; the label is the version.", labels=["version"])
        family.add_metric([version("fairlead")], 1)
        yield family


def _counters() -> CollectorRegistry:
    if not in_process_group():
        return current_metrics().registry
    together = CollectorRegistry()
    MultiProcessCollector(together)
    return together
