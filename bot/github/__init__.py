"""Floor 2: GitHub. `payloads` reads deliveries, `client` speaks, `gather` reads, `apply` writes."""
