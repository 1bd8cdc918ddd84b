"""Runs a program with no network, no home and no secrets; refuses where it cannot."""
