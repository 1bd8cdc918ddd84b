"""How well and how fast a repository is searched, on cases cut from real histories."""
