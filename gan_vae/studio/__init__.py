"""The studio: a local page on which a person makes art with trained models.

  page (static/)  --tool, inputs, flags-->  app.py  -->  jobs.py  -->  art.making.make

All that the page makes is made by the tools of gan_vae/art and kept in a folder, the
album, so that `art reproduce` makes each file again. The server is for one person at
one machine: guard.py lets nobody else in.
"""
