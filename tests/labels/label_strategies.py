"""Hypothesis strategies of labels, for the tests of every label format."""

from hypothesis import strategies as st

from dd_livm_core.labels.label import Label
from dd_livm_core.records import DEFECT_CLASSES, HOTSPOT_SHAPES

SIZE_PX = (640, 512)
labels_of_pair = st.lists(
    st.builds(
        Label,
        st.tuples(st.floats(0, 500), st.floats(0, 400), st.floats(1, 139), st.floats(1, 110)),
        st.sampled_from(DEFECT_CLASSES),
        st.sampled_from([*HOTSPOT_SHAPES, None]),
    ),
    max_size=6,
    unique=True,  # the same label twice is told, and kept once
)
