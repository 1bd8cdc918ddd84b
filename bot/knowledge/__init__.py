"""What Hob knows of a repository: its files by symbol, its history, its issues, and how they hang
together."""
