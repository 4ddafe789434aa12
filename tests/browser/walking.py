"""Walks through a site by its own links, and what is asked of every page on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urldefrag, urljoin, urlsplit

from axe_playwright_python.sync_playwright import Axe
from hostile import MARK
from playwright.sync_api import Page

_MOST = 400
"""How many addresses a walk follows."""
_NUMBERS = re.compile(r"[0-9a-f]{6,}|\d+")


def kind(address: str) -> str:
    """What addresses of the same kind of page have in common: the path without numbers, and the names in the query."""
    parts = urlsplit(address)
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    return f"{_NUMBERS.sub('#', parts.path)}?{'&'.join(names)}"


def links(page: Page) -> set[str]:
    """The internal addresses that a page leads to, without the places in them."""
    here = urlsplit(page.url)
    found = page.eval_on_selector_all("a[href], area[href]", "all => all.map(a => a.getAttribute('href'))")
    absolute = (urldefrag(urljoin(page.url, address)).url for address in found)
    return {address for address in absolute if urlsplit(address).netloc == here.netloc}


def walk(
    page: Page, start: str, leave: Callable[[str], bool] = lambda address: "/scheduler/" in address
) -> Iterator[str]:
    """Show the pages that are reached from one, one of each kind; the address of each. What is linked must be there."""
    waiting, known, kinds = [start], {start}, set()
    while waiting:
        address = waiting.pop(0)
        if kind(address) in kinds:
            answer = page.request.get(address, max_redirects=5)
            assert answer.status < 400, f"{address} answers {answer.status}"
            continue
        kinds.add(kind(address))
        answer = page.request.get(address)
        assert answer.status < 400, f"{address} answers {answer.status}"
        if "text/html" not in answer.headers["content-type"] or "sandbox" in answer.headers["content-security-policy"]:
            continue
        page.goto(address)
        page.wait_for_load_state("load")
        yield address
        new = sorted(found for found in links(page) if found not in known and not leave(found))
        known.update(new)
        waiting.extend(new[: max(0, _MOST - len(known))])


def inaccessible(page: Page, *rules: str) -> list[str]:
    """What axe-core finds serious or critical on a page, frames of reports left out; by all its rules, or by these."""
    options = {"runOnly": list(rules)} if rules else {}
    found = Axe().run(page, context={"exclude": [["iframe"]]}, options=options).response["violations"]
    return [
        f"{fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"][:3]
    ]


def overflow(page: Page) -> list[str]:
    """The elements that stick out of a page at its sides, so that it has to be moved to be read."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
        [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)
        .slice(0, 5).map(e => e.outerHTML.slice(0, 160))"""
    )


def intruders(page: Page) -> list[str]:
    """Elements and attributes on a page of ours that none of our own templates writes."""
    return page.evaluate(
        """mark => [...document.querySelectorAll('*')].filter(e => e.hasAttribute(mark)
        || [...e.attributes].some(a => a.name.startsWith('on') || a.name === 'style' || /^\\s*javascript:/i.test(a.value))
        || (e.tagName === 'SCRIPT' && !e.src)).map(e => e.outerHTML.slice(0, 200))""",
        MARK,
    )
