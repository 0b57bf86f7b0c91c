"""The files below a URL of a web server that lists its folders as pages: links down, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from ..errors import FormatError
from ..wire.remote import details_of, fetch

DEEPEST, MOST_PAGES, MOST_LINKS = 16, 10_000, 100_000
LARGEST_PAGE = 16 << 20  # bytes


def files_below(place: str) -> Iterator[tuple[str, int, str, float]]:
    """``(url, size, stamp, modified)`` of the file at a URL, or of all that the pages below it lead to, folder by folder.

    Raises FormatError where the server does not answer, or a page is too large.
    """
    first = details_of(place)
    if not first.is_page:
        yield place, first.size, first.stamp, first.modified
        return
    base = f"{place.rstrip('/')}/"
    pending, pages = [base], 0
    while pending and pages < MOST_PAGES:
        page = pending.pop()
        pages += 1
        links = _links(page)
        for url in (each for each in links if not each.endswith("/")):
            try:
                details = details_of(url)
            except FormatError:  # a link that leads nowhere
                continue
            yield url, details.size, details.stamp, details.modified
        folders = [url for url in links if url.endswith("/")]
        deep = page.count("/") - base.count("/") >= DEEPEST
        pending += [] if deep else reversed(folders)


def _links(page: str) -> list[str]:
    """The URLs that a page leads to and that lie in its own folder, sorted."""
    length = details_of(page).size
    if length > LARGEST_PAGE:
        raise FormatError(f"{page}: a page of {length:,} bytes is no list of files")
    reader = _Links()
    reader.feed(fetch(page, 0, length or None).decode("utf-8", "replace"))
    urls = {urljoin(page, link) for link in reader.links[:MOST_LINKS]}
    inside = (url for url in urls if url.startswith(page) and url != page)
    plain = (url for url in inside if not urlsplit(url).query)
    return sorted(url for url in plain if "/" not in url[len(page) : -1])


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links += [value for key, value in attrs if key == "href" and value]
