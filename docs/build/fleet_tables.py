"""Write the tables of docs/fleet.md anew: ``python -m docs.build.fleet_tables``.

Whatever stands between ``<!-- NAME -->`` and ``<!-- end NAME -->`` is replaced: what was measured from the result files
of ``benchmarks.fleet``, ``fleet_leak``, ``fleet_unseen`` and ``fleet_looks``, stations and keys from the bundled
profiles and the models that check them.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.results_file import RESULTS
from docs.build.fleet_keys import list_keys_by_table
from docs.build.fleet_stations import HEAD, describe_stations

PAGE = Path(__file__).parents[1] / "fleet.md"
Rows = list[tuple[str, ...]]
PARTS = ("cross_site", "within_sites")


def _read(name: str) -> dict[str, Any]:
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


def format_table(head: tuple[str, ...], rows: Rows) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _name_origin(result: dict[str, Any]) -> str:
    return f"From `{result['command']}` at `{result['commit'][:7]}`, {result['machine']}."


def _list_speed_rows(run: dict[str, Any]) -> Rows:
    if "skipped" in run:
        return [("all 7,078 pairs", run["skipped"], "≥ 8 pairs/s, ≤ 20 min")]
    quarters = " / ".join(f"{m:.0f}" for m in run["median_mib_by_quarter_of_the_run"])
    name = f"{run['size']}, {run['pairs']} pairs, truth written, {run['processes']} processes"
    wanted = "≥ 8 pairs/s, ≤ 20 min" if run["size"] == "full" else "≥ 8 pairs/s"
    shown = f"{run['pairs_per_s']} pairs/s, {run['minutes']} min"
    load = f"{1000 * run['cpu_seconds_per_pair']:.0f} ms of processor per pair"
    return [
        (name, f"{shown}; {load}; load before the start {run['load_average_before']}", wanted),
        (
            f"memory of all processes, {run['size']}",
            f"{run['peak_mib_of_all_processes']:.0f} MiB at most; "
            f"median by quarter of the run {quarters} MiB",
            "flat",
        ),
    ]


def format_results() -> str:
    fleet, unseen = _read("fleet"), _read("fleet_unseen")
    arms, figures = fleet["arms"], unseen["figures"]
    like = arms["real_or_simulated"]
    told = (
        f"infrared {like['infrared_accuracy']:.1f} %, visible {like['visible_accuracy']:.1f} %"
        if "skipped" not in like
        else like["skipped"]
    )
    rows: Rows = [
        *_list_speed_rows(arms["small"]),
        *_list_speed_rows(arms["full"]),
        (
            "corners of PV modules, as both cameras photograph them, under the stored truth",
            f"{fleet['figures']['corner_error_px_max']:.3f} infrared px at most",
            "≤ 0.1 px",
        ),
        (
            f"the same, {figures['profiles']} random profiles",
            f"{figures['corner_error_px_max']:.3f} infrared px at most",
            "≤ 0.1 px",
        ),
        (
            "random profiles that break a promise (read back from their files)",
            f"{figures['profiles_with_a_broken_promise']} of {figures['profiles']}",
            "0",
        ),
        (
            "heat that enters against heat that leaves",
            f"{fleet['figures']['energy_error_max']:.0e}",
            "≤ 1e-6",
        ),
        (
            "open circuit at 1000 W/m² and 1 m/s, as the camera sees it, nine stations",
            f"{fleet['figures']['open_circuit_k_min']:.1f} to "
            f"{fleet['figures']['open_circuit_k_max']:.1f} K",
            "2 to 7 K, nothing fitted",
        ),
        (
            "class told from background and position alone, defects removed, site unseen",
            f"{fleet['figures']['blind_control_accuracy']:.1f} %",
            "reported; see below",
        ),
        ("real or simulated, single patches (50 % = cannot tell)", told, "reported"),
    ]
    residual = ", ".join(
        f"{site} {value:.2f}"
        for site, value in arms["homography_residual_px"].items()
        if value > 0.01
    )
    return (
        format_table(("what", "measured", "wanted"), rows)
        + f"\n\nLargest residual of the fitted homography (infrared px): {residual}; none where lenses do"
        f" not distort.\n{_name_origin(fleet)}"
    )


def format_speed() -> str:
    cpu = _read("fleet")["arms"]["cpu_ms"]
    rows = [(site, f"{t['start']:.0f}", f"{t['pair']:.0f}") for site, t in cpu.items()]
    return format_table(("station", "start of a mission, ms", "each pair, ms"), rows)


def format_leak() -> str:
    control = _read("fleet_leak")["arms"]
    names = {
        "all": "background and position",
        "position_only": "position alone",
        "infrared_only": "infrared background alone",
        "visible_only": "visible background alone",
        "commonest_class": "always the commonest class (of the other sites; of the site)",
        "size_of_the_box": "width and height of the label box alone",
    }
    arms = [control[key][part] for key in ("as_flown", "habits_removed") for part in PARTS]
    rows: Rows = [(text, *(f"{arm[key]}" for arm in arms)) for key, text in names.items()]
    dealt = "background and position, classes dealt anew within each site"
    shown = (
        f"{arm['classes_dealt_anew_mean']} ± {arm['classes_dealt_anew_deviation']}" for arm in arms
    )
    rows.insert(1, (dealt, *shown))
    head = ("percent of labels told from", "site unseen", "site seen, other defects")
    head += ("no habits: site unseen", "no habits: site seen")
    counts = " and ".join(
        f"{control[key]['labels']} labels of {control[key]['defects']} defects {text}"
        for key, text in {"as_flown": "as flown", "habits_removed": "without habits"}.items()
    )
    return f"{format_table(head, rows)}\n\n{counts}; five classes at random: 20 %."


def format_looks() -> str:
    arms = _read("fleet_looks")["arms"]
    sides = [arms[name] for name in ("real", "simulated") if name in arms]

    def join(values: list[float]) -> str:
        return " / ".join(f"{v:.0f}" for v in values)

    rows: Rows = [
        (
            "infrared grey levels, percentiles 1/10/50/90/99",
            *(join(s["infrared_percentiles_1_10_50_90_99"]) for s in sides),
        ),
        ("visible mean, R/G/B", *(join(s["visible_mean_rgb"]) for s in sides)),
        ("visible deviation, R/G/B", *(join(s["visible_deviation_rgb"]) for s in sides)),
        (
            "warm share of the infrared frame (Otsu)",
            *(f"{s['warm_share_pct']:.1f} %" for s in sides),
        ),
        ("spacing of rows, median", *(f"{s['row_pitch_px_median']:.0f} px" for s in sides)),
        (
            "infrared power at the highest frequencies, decades under the lowest",
            *(f"{s['infrared_spectrum_decades'][-1]:.2f}" for s in sides),
        ),
        ("visible, the same", *(f"{s['visible_spectrum_decades'][-1]:.2f}" for s in sides)),
    ]
    return format_table(("", *(name for name in ("real", "simulated") if name in arms)), rows)


def format_stations() -> str:
    return format_table(HEAD, describe_stations())


def format_keys() -> str:
    head = ("key", "unit", "allowed", "default", "meaning")
    parts = [
        f"**`{name}`**\n\n{format_table(head, rows)}" for name, rows in list_keys_by_table().items()
    ]
    return "\n\n".join(["", *parts, ""])


def replace_part(page: str, name: str, content: str) -> str:
    """Put content between the markers of that name."""
    start, end = f"<!-- {name} -->", f"<!-- end {name} -->"
    before, _, rest = page.partition(start)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{PAGE}: no place marked {start} … {end}")
    return f"{before}{start}\n{content}\n{end}{after}"


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    page = PAGE.read_text(encoding="utf-8")
    parts = {
        "stations": format_stations,
        "results": format_results,
        "speed": format_speed,
        "leak": format_leak,
        "looks": format_looks,
        "keys": format_keys,
    }
    for name, make in parts.items():
        page = replace_part(page, name, make())
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
