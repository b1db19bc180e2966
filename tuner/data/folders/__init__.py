"""Folders of image files: what is in them, and which class and part each file is of."""
