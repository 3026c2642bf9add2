"""The rules fire when they should, name what exists, and their own tests would notice if they did not."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ops.files import (
    ALERTS,
    ALERTS_TEST,
    OPS,
    ROOT,
    counter_names,
    documented_names,
    gauge_names,
    metrics_in,
    read_yaml,
    rules,
)
from tests.ops.test_container import VARIABLES
from tests.tidy.links import anchors

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")

_COMPARISON = re.compile(r"^(?P<left>.*) (?P<operator>>=|<=|==|!=|>|<) (?P<right>[0-9.]+)$", re.DOTALL)
_INVERSE = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    assert PROMTOOL is not None
    return subprocess.run([PROMTOOL, *map(str, words)], capture_output=True, text=True, check=False, cwd=ALERTS.parent)


@needs_promtool
def test_prometheus_accepts_its_configuration_and_the_rules() -> None:
    for words in (("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml")):
        done = promtool(*words)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@needs_promtool
def test_the_rules_fire_when_they_should() -> None:
    done = promtool("test", "rules", "alerts_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_tested_both_ways() -> None:
    seen: dict[str, list[bool]] = {}
    for test in read_yaml(ALERTS_TEST)["tests"]:
        for check in test["alert_rule_test"]:
            seen.setdefault(check["alertname"], []).append(bool(check["exp_alerts"]))
    assert {rule["alert"] for rule in rules()} == set(seen)
    assert [name for name, fired in seen.items() if set(fired) != {True, False}] == []


def broken(rule: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rule, broken in each way that it can be: by what was done to it."""
    expression = rule["expr"]
    ways: dict[str, dict[str, Any]] = {"never fires": rule | {"expr": f"({expression}) and on () (vector(0) > 1)"}}
    if "for" in rule:
        ways["fires at once"] = {name: value for name, value in rule.items() if name != "for"}
    if expression.startswith("absent("):
        ways["inverted"] = rule | {"expr": expression.removeprefix("absent")}
        ways["without its condition"] = rule | {"expr": expression.partition(" and ")[0]}
        return ways
    found = _COMPARISON.match(expression)
    assert found, f"{rule['alert']} compares with nothing"
    ways["inverted"] = rule | {"expr": f"{found['left']} {_INVERSE[found['operator']]} {found['right']}"}
    ways["without its threshold"] = rule | {"expr": found["left"]}
    return ways


WAYS = [(rule["alert"], way) for rule in rules() for way in broken(rule)]


@pytest.mark.slow
@needs_promtool
@pytest.mark.parametrize(("alert", "way"), WAYS, ids=[f"{alert} {way}" for alert, way in WAYS])
def test_a_broken_rule_is_noticed(alert: str, way: str, tmp_path: Path) -> None:
    document = read_yaml(ALERTS)
    # Only the rule and its own tests: the others take time, every minute of a day and a half, and say nothing of it.
    for group in document["groups"]:
        group["rules"] = [broken(rule)[way] for rule in group["rules"] if rule["alert"] == alert]
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    tests = read_yaml(ALERTS_TEST)
    tests["tests"] = [test for test in tests["tests"] if test["name"] == alert]
    (tmp_path / "alerts_test.yml").write_text(yaml.safe_dump(tests), encoding="utf-8")
    done = promtool("test", "rules", tmp_path / "alerts_test.yml")
    assert done.returncode == 1
    assert "exp:" in done.stdout + done.stderr  # other alerts than expected, not a rule that cannot be read


def test_the_rules_name_what_the_code_exports() -> None:
    used = metrics_in(rule["expr"] for rule in rules())
    assert used - counter_names() - gauge_names() == set()
    tested = metrics_in(each["series"] for test in read_yaml(ALERTS_TEST)["tests"] for each in test["input_series"])
    assert tested - counter_names() - gauge_names() == set()


def test_each_kind_of_metric_is_read_in_the_way_that_is_right_for_it() -> None:
    """A counter by its rate, summed; what is the same in every process by its maximum, or not at all."""
    for rule in rules():
        for name in metrics_in([rule["expr"]]):
            if name in counter_names():
                assert re.search(rf"rate\({name}\b", rule["expr"]), f"{rule['alert']}: {name} is a counter"
            else:
                assert not re.search(rf"sum[^(]*\({name}\b", rule["expr"]), (
                    f"{rule['alert']}: {name} must not be summed"
                )


def test_every_alert_says_what_it_means_and_where_to_read_on() -> None:
    headings = anchors((ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"))
    for rule in rules():
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
        assert rule["annotations"]["summary"].endswith(".")
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (page, anchor in headings) == ("docs/runbook.md", True), rule["alert"]


def test_the_configuration_scrapes_what_compose_starts() -> None:
    services = read_yaml(OPS / "container" / "compose.yaml")["services"]
    jobs = {job["job_name"]: job for job in read_yaml(OPS / "prometheus" / "prometheus.yml")["scrape_configs"]}
    [web] = jobs["fairlead-web"]["static_configs"][0]["targets"]
    assert web.split(":")[0] in services
    workers = jobs["fairlead-worker"]["dns_sd_configs"][0]
    assert set(workers["names"]) <= set(services)
    assert (web.split(":")[1], workers["port"]) == ("8000", 8001)  # the settings' defaults


def test_the_guide_has_every_metric_and_every_alert_and_no_other() -> None:
    guide = (ROOT / "docs" / "guide" / "operations.md").read_text(encoding="utf-8")
    rows = {name for line in guide.splitlines() if line.startswith("| `fairlead_") for name in metrics_in([line])}
    assert rows == documented_names()
    severities: dict[str, set[str]] = {}
    for line in guide.splitlines():
        if line.startswith(("| critical |", "| warning |", "| info |")):
            severities[line.split("|")[1].strip()] = set(re.findall(r"`(Fairlead\w+)`", line))
    assert severities == {
        severity: {rule["alert"] for rule in rules() if rule["labels"]["severity"] == severity}
        for severity in ("critical", "warning", "info")
    }


def test_the_runbook_asks_for_metrics_and_settings_that_exist() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert (
        metrics_in([text]) - counter_names() - gauge_names() - {"fairlead_restored", "fairlead_encryption_keys"}
        == set()
    )
    assert set(re.findall(r"FAIRLEAD_[A-Z_]+", text)) <= VARIABLES
