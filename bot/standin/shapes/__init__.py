"""The JSON that GitHub answers and delivers, object by object, complete enough for its own OpenAPI description."""
