"""What a run writes: its journal, its recipe, its pages."""
