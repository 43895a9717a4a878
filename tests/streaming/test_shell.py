"""Where the shell of a page ends, in whatever pieces its text comes."""

import pytest

from atemplates.streaming.shell import Shell

PAGES = {
    "a page": "<!doctype html><html><head><title>a</title></head>|<body>b",
    "in capitals": "\n <!DOCTYPE html>\n<HTML><HEAD></HEAD |><BODY>",
    "without a doctype": "<html lang=de><head></head>|<body>",
    "a head alone": "<head><title></title></head>|<p>",
    "no end of the head": "<!doctype html><title>a</title><body |class=b><p>",
    "no attributes": "<!doctype html><title>a</title><body>|<p>",
    "after comments": "<!-- a > b --> <!-- <p></head> --><!doctype html><head></head>|<body>",
    "a header in the head": "<html><head><header></header><headx></head>|<body>",
    "a fragment": "a|b</head>",
    "a fragment behind blanks": " \n\t<p|>a",
    "a fragment behind a comment": "<!-- <head></head> --><p|>a",
    "another element": "<heade|r></header>",
    "half of a word": "<htm>|a",
    "a tag of one letter": "<a| href='/head'></head>",
}
"""Pages, with a ``|`` where it is known that the shell has ended."""


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_all_at_once(page):
    shell = Shell()
    shell.follow(page.replace("|", ""))
    assert shell.has_ended


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_letter_by_letter(page):
    shell, sent = Shell(), ""
    for letter in page.replace("|", ""):
        shell.follow(letter)
        sent += letter
        if shell.has_ended:
            break
    assert sent == page.partition("|")[0]


BEGUN = ["", " \n", "<", "<!-", "<!-- a <p>", "<!doc", "<he", "<html><head>a", "<!-- a -->"]


@pytest.mark.parametrize("text", [*BEGUN, "<html><header>"])
def test_not_yet(text):
    shell = Shell()
    shell.follow(text)
    assert not shell.has_ended
    shell.end()
    assert shell.has_ended
