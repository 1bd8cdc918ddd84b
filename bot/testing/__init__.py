"""What tests, the demonstration and writers of handlers stand on: no part of a running Hob."""
