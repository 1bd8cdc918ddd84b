"""How good reviews are: models against labelled cases, and what became of findings in merged pull
requests."""
