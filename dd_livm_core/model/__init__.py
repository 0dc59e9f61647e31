"""The network: from an aligned pair to detections.

Ways in: `network_input` makes its input, `detector.Detector` is the network, `detector.predict` runs it.
"""
