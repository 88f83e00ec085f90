"""Searches over settings: many runs of one config, each in a folder of its own."""
