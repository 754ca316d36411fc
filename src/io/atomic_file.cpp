// filled in by the room's first commit
