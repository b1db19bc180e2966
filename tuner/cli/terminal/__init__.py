"""What the command line writes to, and what it hears from there: streams, colours, signals."""
