"""What the program remembers between runs, in one SQLite file per user. Losing it loses no data of anybody."""
