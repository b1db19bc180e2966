"""What a builder of your own puts out, and the labels and metrics that its model takes."""
