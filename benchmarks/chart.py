"""Draw chart.svg from results.json: a column for each database, a row for each workload."""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from benchmarks.report import RESULTS

CHART = Path(__file__).with_name("chart.svg")
LABELS = {"limit": "SQL by hand", "ours": "this app", "tutorial": "the courses' way"}
COLORS = {"limit": "#8b949e66", "ours": "#2f81f7", "tutorial": "#8b949e"}
INK, PAPER = "#1f2328", "#ffffff"
DARK = f"""
@media (prefers-color-scheme: dark) {{
  [style*="{INK}"] {{fill: #e6edf3 !important}}
  [style*="{PAPER}"] {{fill: #0d1117 !important}}
}}"""
STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: small, and in the reader's font
    "svg.hashsalt": "chart",  # the same figures give the same file
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 9,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "text.color": INK,
    "axes.titlecolor": INK,
    "ytick.color": INK,
}


def draw_workload(axes: Axes, workload: str, rates: dict[str, float]) -> None:
    """Draw a bar for each app, with its rate and how many times the tutorial app's that is."""
    places = [place for place, app in enumerate(LABELS) if app in rates]
    apps = [app for app in LABELS if app in rates]
    bars = axes.barh(
        places, [rates[app] for app in apps], color=[COLORS[app] for app in apps], height=0.75
    )
    texts = {
        app: f"{rate:,.0f}/s · {rate / rates['tutorial']:.1f} ×" for app, rate in rates.items()
    }
    texts["tutorial"] = f"{rates['tutorial']:,.0f}/s"
    axes.bar_label(bars, [texts[app] for app in apps], padding=4)
    axes.set_title(workload, loc="left", fontsize=9, fontweight="bold")
    axes.set_xlim(0, max(rates.values()) * 1.5)  # room for the text
    axes.set_ylim(-0.5, len(LABELS) - 0.5)
    axes.set_yticks(places, [LABELS[app] for app in apps])
    axes.tick_params("y", length=0)
    axes.xaxis.set_visible(False)
    axes.spines[:].set_visible(False)


def draw_run(figure: SubFigure, run: dict[str, Any]) -> None:
    """Draw all workloads on one database."""
    workloads: dict[str, dict[str, float]] = {}
    for row in run["figures"]:
        workloads.setdefault(row["workload"], {})[row["app"]] = row["requests_per_second"]
    figure.suptitle(f"Requests per second, {run['database']}", fontsize=10)
    for axes, (workload, rates) in zip(
        figure.subplots(len(workloads)), workloads.items(), strict=True
    ):
        draw_workload(axes, workload, rates)


def caption(runs: list[dict[str, Any]]) -> str:
    """Say what the figures are, and of which day and machine."""
    run = runs[0]
    return (
        f"{' and '.join(sorted({run['date'] for run in runs}))}, {run['cpu']}, "
        f"{run['cores']} cores, Python {run['python']}, "
        f"FastAPI {run['packages']['fastapi']}, SQLAlchemy {run['packages']['sqlalchemy']}\n"
        f"One worker on one core, {run['connections']} connections, "
        f"median of {run['rounds']} interleaved rounds of {run['seconds']} s"
    )


def draw() -> None:
    """Write chart.svg."""
    runs = list(json.loads(RESULTS.read_text(encoding="utf-8")).values())
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 6), layout="constrained")
        for subfigure, run in zip(
            figure.subfigures(1, len(runs), squeeze=False)[0], runs, strict=True
        ):
            draw_run(subfigure, run)
        figure.supxlabel(caption(runs), fontsize=8)
        figure.savefig(CHART, metadata={"Date": None, "Creator": None})
    text = CHART.read_text(encoding="utf-8")
    CHART.write_text(text.replace("</style>", f"{DARK}</style>", 1), encoding="utf-8")
