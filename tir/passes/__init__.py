"""Passes over the IR, one file each; `pipelines.py` has the table of all and the pipelines made of them."""
