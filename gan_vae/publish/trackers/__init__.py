"""Trackers, one module each: `send(replay)` -> a line that says where the run is.

Sent again, a run has no step twice. A module imports its library inside of `send`.
"""
