"""The dashboard is one that Grafana can load, and every query of it asks for something that exists."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.ops.files import OPS, counter_names, dashboard, gauge_names, metrics_in, read_yaml


def panels() -> list[dict[str, Any]]:
    return dashboard()["panels"]


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", [])]


def all_queries() -> list[str]:
    found = dashboard()
    asked_by_variables = [each["query"]["query"] for each in found["templating"]["list"] if each["type"] == "query"]
    return [*expressions(), *asked_by_variables, *(each["expr"] for each in found["annotations"]["list"])]


def test_it_has_what_grafana_asks_of_a_provisioned_dashboard() -> None:
    found = dashboard()
    assert found["uid"] == "fairlead"
    assert found["title"]
    assert found["schemaVersion"] >= 39
    assert "id" not in found  # a number of one installation
    assert len({panel["id"] for panel in panels()}) == len(panels())
    for panel in panels():
        assert panel["type"] in {"row", "stat", "timeseries"}
        assert panel["title"]
        if panel["type"] != "row":
            assert panel["description"]
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert [target["refId"] for target in panel["targets"]] == sorted({t["refId"] for t in panel["targets"]})


def test_no_panel_lies_on_another() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for cell in (
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ):
            assert cell not in taken, f"{panel['title']} lies on {taken[cell]}"
            taken[cell] = panel["title"]


def test_every_query_names_what_the_code_exports() -> None:
    used = metrics_in(all_queries())
    assert used - counter_names() - gauge_names() == set()


def test_nothing_that_is_exported_goes_unseen() -> None:
    exported = {re.sub(r"_(sum|count|bucket)$", "", name) for name in counter_names()} | gauge_names()
    seen = {re.sub(r"_(sum|count|bucket)$", "", name) for name in metrics_in(all_queries())}
    assert exported - seen == set()


@pytest.mark.parametrize("expression", expressions())
def test_each_kind_of_metric_is_read_in_the_way_that_is_right_for_it(expression: str) -> None:
    for name in metrics_in([expression]):
        if name in counter_names():
            assert re.search(rf"sum( by \([a-z_, ]+\) )?\((rate|increase)\({name}\b", expression)
        else:
            assert re.search(rf"(max|min)( by \([a-z_, ]+\) )?\((rate\()?{name}\b", expression)


def test_every_query_goes_to_the_chosen_source_and_uses_declared_variables() -> None:
    found = dashboard()
    declared = {each["name"] for each in found["templating"]["list"]}
    used = {name for query in all_queries() for name in re.findall(r"\$([a-z]+)", query)}
    assert used <= declared
    sources = [target["datasource"]["uid"] for panel in panels() for target in panel.get("targets", [])]
    assert set(sources) == {"${datasource}"}
    provisioned = read_yaml(OPS / "grafana" / "provisioning" / "datasources" / "prometheus.yaml")["datasources"][0]
    [variable] = [each for each in found["templating"]["list"] if each["type"] == "datasource"]
    assert (variable["query"], variable["current"]["value"]) == (provisioned["type"], provisioned["uid"])


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    lines = ["groups:", "  - name: panels", "    rules:"]
    for number, expression in enumerate(expressions()):
        plain = expression.replace("$__rate_interval", "5m").replace("$niche", ".*")
        lines += [f"      - record: panel:{number}", f"        expr: '{plain}'"]
    (tmp_path / "panels.yml").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "check", "rules", tmp_path / "panels.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_lies_where_its_provider_looks() -> None:
    [provider] = read_yaml(OPS / "grafana" / "provisioning" / "dashboards" / "fairlead.yaml")["providers"]
    mounts = read_yaml(OPS / "container" / "compose.yaml")["services"]["grafana"]["volumes"]
    assert f"../grafana/dashboard.json:{provider['options']['path']}/fairlead.json:ro" in mounts
    assert "../grafana/provisioning:/etc/grafana/provisioning:ro" in mounts
