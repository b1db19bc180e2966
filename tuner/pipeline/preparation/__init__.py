"""What a run needs before it has a folder: card, space, data and builder, each checked."""
