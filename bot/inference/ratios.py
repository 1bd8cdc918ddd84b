"""What is known of models' vocabularies."""

from bot.inference import fit


class Ratios:
    """Text size per token, learned for each model from what hosts count."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}

    def of(self, model: str) -> float:
        """The best guess so far."""
        return self._known.get(model, fit.START_RATIO)

    def learn(self, model: str, size: int, tokens: int) -> None:
        """A host has counted a text; short ones are mostly its own chat template and teach nothing."""
        if size >= 500:
            self._known[model] = fit.learned(self.of(model), size, tokens)

    def shrink(self, model: str) -> None:
        """A host refused a text that should have fitted, and did not say how many tokens it counted."""
        self._known[model] = 0.6 * self.of(model)
