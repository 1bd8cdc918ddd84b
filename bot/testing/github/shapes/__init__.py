"""The JSON that GitHub answers and delivers, complete enough for its own OpenAPI description."""
