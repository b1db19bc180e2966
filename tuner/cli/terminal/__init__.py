"""What the command line writes to, and how it is stopped: streams, colours, signals."""
