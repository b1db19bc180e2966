"""What each command does; passes records from stage to stage."""
