"""The network: from an aligned pair to detections.

Ways in: `detector.Detector` is the network, `network_input.prepare` makes its input, `prediction.predict` runs it.
"""
