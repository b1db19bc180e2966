"""Cards made up for people's own folders and files."""
