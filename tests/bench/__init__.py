"""Figures, each beside its bar and, where there is one, a baseline measured in the same run: `make bench`."""
