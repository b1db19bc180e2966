"""The HTML page of a run: each section computes its numbers first and draws them second."""
