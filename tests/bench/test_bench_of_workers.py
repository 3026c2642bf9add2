"""The measurements of workers run and say what they promise to say. What they measure is not judged here."""

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.burst import Burst, BurstEffort, Bursts, Sample
from bench.chart import queue_chart, thinned
from bench.latency import Latencies, LatencyEffort
from bench.worker_report import ROWS, burst_as_json, latency_as_json
from tests.bench.measuring import measured

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawn: str) -> ElementTree.Element:
    """The chart's root element."""
    return ElementTree.fromstring(drawn)  # noqa: S314, it is our own


@pytest.mark.slow
def test_a_quick_run_of_latency_writes_every_figure(tmp_path: Path) -> None:
    report, printed = measured(tmp_path, "latency")
    assert {name: row["count"] for name, row in report["latency_ms"].items()} == dict.fromkeys(ROWS, 4)
    for row in report["latency_ms"].values():
        assert 0 < row["p50"] <= row["p95"] <= row["p99"]
    # A client asks before it is told that its approval is committed.
    assert report["latency_ms"]["asked"]["p50"] > report["latency_ms"]["told"]["p50"]
    assert set(report["ratios"]) == {"told_to_direct", "told_to_commit"}
    assert all(words in printed for words in ROWS.values())


@pytest.mark.slow
def test_a_quick_run_of_a_burst_writes_every_figure_and_a_chart(tmp_path: Path) -> None:
    chart = tmp_path / "chart.svg"
    report, printed = measured(tmp_path, "burst", "--chart", str(chart))
    assert [(burst["approval"], burst["workers"]) for burst in report["bursts"]] == [
        ("bulk", 1),
        ("singly", 1),
        ("bulk", 2),
        ("singly", 2),
    ]
    assert len(report["direct_leads_per_second"]) == 2
    for burst in report["bursts"]:
        assert burst["leads_per_second"] > 0
        assert 0 < burst["assignments"] <= 90  # ten leads, nine recipients each
        assert burst["samples"][-1]["leads"] == 0
        assert burst["samples"][-1]["emails"] < burst["assignments"]
        assert all(one["seconds"] < other["seconds"] for one, other in pairwise(burst["samples"]))
    assert printed.count("| one by one |") == 2
    assert len(parsed(chart.read_text()).findall(f"{SVG}path[@class='line s3']")) == 3


def burst(leads_per_second: float, samples: tuple[Sample, ...] = (Sample(0.0, 0, 0),)) -> Burst:
    """A burst of which only this is of interest."""
    return Burst("bulk", 1, 0.1, leads_per_second, 9, 1.0, 2.0, samples)


def test_a_burst_is_compared_with_the_mean_of_the_direct_runs_before_and_after() -> None:
    report = burst_as_json(Bursts((burst(60.0),), (100.0, 140.0)), BurstEffort(), "18.1")
    assert report["bursts"][0]["of_direct"] == pytest.approx(0.5)


def test_latencies_are_compared_within_a_round() -> None:
    measured = Latencies(
        assigned=[[1.0]],
        told=[[20.0, 10.0, 30.0], [90.0]],
        asked=[[1.0]],
        direct=[[10.0], [30.0]],
        commit=[[1.0], [2.0]],
        traffic=[[1.0]],
    )
    report = latency_as_json(measured, LatencyEffort(), "18.1")
    assert report["ratios"]["told_to_direct"] == {"median": 2.5, "min": 2.0, "max": 3.0}
    assert report["latency_ms"]["told"] == {"count": 4, "p50": 20.0, "p95": 90.0, "p99": 90.0}


def test_the_chart_needs_nothing_from_elsewhere_and_can_be_read_aloud() -> None:
    samples = tuple(Sample(number / 2, 500 - number, 7 * number) for number in range(501))
    drawn = queue_chart([burst(60.0, samples)] * 4)
    assert len(drawn) < 20_000
    root = parsed(drawn)
    ids = {element.get("id"): element.text for element in root}
    assert [ids[name] for name in (root.get("aria-labelledby") or "").split()] == [
        root.findtext(f"{SVG}title"),
        root.findtext(f"{SVG}desc"),
    ]
    assert "all leads decided within 250.0 s, at most 3,500 emails waiting" in (root.findtext(f"{SVG}desc") or "")
    assert not any("href" in name or name == "src" for element in root.iter() for name in element.attrib)
    assert "url(" not in drawn
    assert "@import" not in drawn


def test_a_line_of_the_chart_ends_where_the_samples_end() -> None:
    samples = tuple(Sample(0.5 * number, number, 0) for number in range(1_000))
    few = thinned(samples)
    assert (few[0], few[-1]) == (samples[0], samples[-1])
    assert len(few) <= 121
