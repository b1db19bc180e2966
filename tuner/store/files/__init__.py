"""Single files: written whole or not at all, read whatever has happened to them since."""
