"""Section "Next steps": rules, each of which proposes steps from the facts of the run."""
