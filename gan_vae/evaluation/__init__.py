"""Measures of trained models; each result carries its protocol."""
