"""Section "Errors": confusion, calibration, and test images worth a look."""
