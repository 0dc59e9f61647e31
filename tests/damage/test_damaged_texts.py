"""Damaged label files and XMP packets end in no crash, and in nothing wrong that a check can tell."""

from pathlib import Path

import numpy as np

from tests.damage.labels import judge_labels, make_label_files
from tests.damage.positions import judge_packet, make_packets
from tests.damage.texts import mutate_text

COUNT = 600


def test_damaged_label_files_give_no_label_that_a_check_could_refuse(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    sets = make_label_files(tmp_path)
    assert all(sum(map(len, of.whole.labels.values())) == 4 for of in sets)
    for number in range(COUNT):
        of = sets[number % len(sets)]
        kind, broken = mutate_text(of.files[of.damaged], rng)
        verdict = judge_labels(of, broken, kind, tmp_path / "damaged")
        assert verdict.fault is None, f"{of.kind}, {kind}: {verdict.fault}"


def test_damaged_packets_give_no_position_that_a_check_could_refuse() -> None:
    rng = np.random.default_rng(1)
    packets = make_packets(None)
    for number in range(COUNT):
        of = packets[number % len(packets)]
        kind, broken = mutate_text(of.xmp, rng)
        verdict = judge_packet(of, broken)
        assert verdict.fault is None, f"{kind}: {verdict.fault}"
