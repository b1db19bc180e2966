"""What commands say at their end, for people and for programs."""
