"""Web pages of a folder are read as their text, each line where it was."""

import pytest

from bot.knowledge.folder import plain


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<h1>Tea &amp; milk</h1>\n<p>Brew <b>hot</b>.", " Tea & milk\n Brew hot."),
        ("a\n<!-- b\nc -->\nd", "a\n\n\nd"),
        ("a<script>\nif (1 < 2) '</p>'\n</SCRIPT>\nb", "a\n\n\nb"),
        ("a<style>p>b{}</style>c<template><p>d</p></template>e", "ace"),
        ("<a title='x > y' href=\"<p>\">b</a>", "b"),
        ("<p don't=1>b", " b"),
        ("1 < 2 <3 and a<b", "1 < 2 <3 and a"),
        ("a<!DOCTYPE html>b<?xml ?>c</ d>e", "abc</ d>e"),
        ("a<!-- never\nclosed", "a"),
        ("a<script>never closed", "a"),
        ("&#65;&#99999999999;&#" + "9" * 9_000 + ";", "A\ufffd\ufffd"),
    ],
)
def test_a_web_page_is_its_text(page: str, text: str) -> None:
    assert plain(page) == text
