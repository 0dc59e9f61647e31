"""Turn Great Expectations' page of a validation into one file that loads nothing from anywhere.

As generated, the page takes its styles from content delivery networks, and its logo from the maker's server with an
identifier of the data context: without a network it is unreadable, and with one it reports who looks at it.
"""

import re
from pathlib import Path

PAGE = "index.html"
NOT_KEPT = (
    r"<script\b.*?</script>",
    r"<link\b[^>]*>",
    r'<nav class="navbar\b.*?</nav>\s*</div>\s*</nav>',
    r"<footer>.*?</footer>",
    r"<img\b[^>]*>",
)
"""Removed from the page: what loads from networks, and navigation to pages that are not kept."""
LINK = re.compile(r'<a\b[^>]*href="(?!#)[^"]*"[^>]*>(.*?)</a>', re.S)
"""A link that leaves the page: only its text is kept."""
STYLE = """<style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 75rem; color: #1c2733; }
table { border-collapse: collapse; margin: .5rem 0; width: 100%; }
th, td { border: 1px solid #d5dce3; padding: .3rem .6rem; text-align: left; vertical-align: top; }
ul.nav { columns: 4; list-style: none; padding: 0; }
a { color: #0b5fa5; text-decoration: none; }
h5 { font-size: 1.15rem; margin: 1.5rem 0 .3rem; }
h6 { font-size: 1rem; margin: 1rem 0 .2rem; }
.show-scrollbars { max-height: 12rem; overflow: auto; }
.card:has(.btn-group), [data-toggle="collapse"], .collapse { display: none; }
.fa-check-circle::before { content: "\\2713"; color: #17703c; }
.fa-times::before { content: "\\2717"; color: #b3261e; font-weight: bold; }
.fa-exclamation-triangle::before { content: "!"; color: #b3261e; }
i { font-style: normal; white-space: nowrap; }
</style>
"""
"""Takes the place of the styles that the page would load."""


def write_stand_alone_page(site: Path, destination: Path) -> None:
    """Write the only validation page of a generated Data Docs site as ``index.html``.

    Parameters
    ----------
    site
        Folder that Great Expectations wrote.
    destination
        Folder that the page is written to; made where it is missing.
    """
    (page,) = (site / "validations").rglob("*.html")
    content = page.read_text(encoding="utf-8")
    for pattern in NOT_KEPT:
        content = re.sub(pattern, "", content, flags=re.S)
    content = LINK.sub(r"\1", content).replace("</head>", f"{STYLE}</head>", 1)
    destination.mkdir(parents=True, exist_ok=True)
    (destination / PAGE).write_text(content, encoding="utf-8")
