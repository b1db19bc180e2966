"""Section "Trust": checks of the data and of the trainings."""
