"""Vector drawings by a number: the styles of DiceBear, drawn by resvg.

drawing.py    one picture of a style and a number
painter.py    many of them, by processes beside this one; worker.py is such a process
styles/       the styles whose parts have names: their factors and words
words.py      what such a module says, and the words that several share
factors.py    which parts and colours of a drawing can be seen
splits.py     the split of a drawing
captions.py   wordings of what is seen
licences.py   whose the styles are
"""
