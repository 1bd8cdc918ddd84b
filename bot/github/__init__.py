"""GitHub's wire. `payloads` reads deliveries, `client` speaks, `gather` reads, `apply` writes."""
