"""Trained models for programs that do not have this package.

formats/     each format a module, found by its name: write(model, workdir, folder)
             gives lines 'FILE: what it is'; its docstring's first line is its help
decoder.py   what is exported of a model with latents: latents to pictures
graph.py     a function of JAX as a graph of ONNX, drawn in drawing.py by the rules of
             operators.py
card.py      README.md, with what a hub wants to know
"""
