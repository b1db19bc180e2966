"""The sections of the report: one module each, or one folder; contents.py has their order."""
