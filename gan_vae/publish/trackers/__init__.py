"""Trackers, one module each, of the name of its library.

`send(library, replay)` returns a line that says where the run is. Sent again, a run has
no step twice.
"""
