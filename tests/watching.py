"""What is asked of Prometheus: the queries of the alert rules and of the dashboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import promql_parser
import yaml
from promql_parser import AggregateExpr, BinaryExpr, Expr, VectorSelector

DOCKER = Path(__file__).parents[1] / "docker"
ALERTS_FILE = DOCKER / "prometheus" / "alerts.yml"
DASHBOARD_FILE = DOCKER / "grafana" / "dashboards" / "market-data.json"
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(ALERTS_FILE.read_text())["groups"] for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads(DASHBOARD_FILE.read_text())


def queries() -> dict[str, str]:
    """Every query by where it stands, with Grafana's own interval made a plain one."""
    found = {f"alert {rule['alert']}": rule["expr"] for rule in ALERTS}
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            found[f"panel {panel['title']} {target['refId']}"] = target["expr"]
    return {place: text.replace("$__rate_interval", "5m") for place, text in found.items()}


class Asked(NamedTuple):
    """The metrics that a query reads with the labels it matches, and the labels that it groups by."""

    matched: dict[str, set[str]]
    grouped: set[str]


def asked(query: str) -> Asked:
    """What a query reads. Raises ValueError for one that is none."""
    matched: dict[str, set[str]] = {}
    grouped: set[str] = set()

    def visit(expression: Expr) -> None:
        if isinstance(expression, VectorSelector):
            labels = {matcher.name for matcher in expression.matchers.matchers}
            matched.setdefault(expression.name or "", set()).update(labels)
        if isinstance(expression, AggregateExpr) and expression.modifier:
            grouped.update(expression.modifier.labels)
        if isinstance(expression, BinaryExpr) and expression.modifier and expression.modifier.matching:
            grouped.update(expression.modifier.matching.labels)

    promql_parser.walk(promql_parser.parse(query), visit)
    return Asked(matched, grouped)
