"""The winner and its opponents, trained under the same rules."""
