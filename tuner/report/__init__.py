"""The HTML page of a run: each section computes its numbers first and draws them second.

`page.py` renders the sections that `sections/contents.py` lists, in that order. A section is a
module there, or a folder: its `context` gives the values that fill its template in
`templates/sections/`. `charts/` draws; the other modules here hold facts and words that several
sections share.
"""
