"""Vector drawings by a seed: the styles of DiceBear, drawn by resvg.

drawing.py    one picture of a style and a number
labelled.py   the visible factors of styles, and the pairs of them that are held out
painter.py    many pictures, in processes beside this one
worker.py     such a process
splits.py     which pictures a set has, and the split of each
"""
