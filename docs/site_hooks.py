"""What MkDocs does to our pages besides: links to files beside docs/, and to the glossary.

A file of the project that a page links to, such as an example, becomes a page under files/. The
first time a page uses a word of the glossary, the word is a link to it.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File

ROOT: Final = Path(__file__).parents[1]
GLOSSARY: Final = "glossary.md"
_LINK: Final = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
_ROW: Final = re.compile(r"^\| (.+?) \|.*\|$", re.MULTILINE)
_CELL: Final = re.compile(r"(<tr>\s*<td)>(.+?)</td>")
_TAG: Final = re.compile(r"(<[^>]+>)")
_CLOSED: Final = re.compile(r"^</?(a|code|pre|h[1-6]|th|script|style|button|label|summary)\b")
_TOO_COMMON: Final = frozenset(
    (
        *(
            "A",
            "agreement",
            "batch",
            "callbacks",
            "cell",
            "chunk",
            "effort",
            "engine",
            "evaluation",
        ),
        *(
            "experiment",
            "explanation",
            "job",
            "label",
            "measure",
            "mode",
            "null",
            "outcome",
            "place",
        ),
        *("point", "run", "split", "state", "step", "token", "view", "word"),
    )
)
"""Words of the glossary that are no links: as plain English they stand everywhere."""


def on_files(files: Any, config: Any) -> Any:
    """Add a page for every file outside docs/ that a page links to."""
    pages = [file for file in files if file.src_uri.endswith(".md")]
    wanted = {
        target
        for page in pages
        for path, _ in _LINK.findall(page.content_string)
        if (target := _outside(page.src_uri, path))
    }
    for target in sorted(wanted):
        files.append(File.generated(config, _page_of(target), content=_as_page(target)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links to files outside docs/ to their pages."""
    here = page.file.src_uri

    def led(link: re.Match[str]) -> str:
        target = _outside(here, link[1])
        if target is None:
            return link[0]
        return f"]({posixpath.relpath(_page_of(target), posixpath.dirname(here) or '.')})"

    return _LINK.sub(led, markdown)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Name the rows of the glossary, or link the words of another page to them."""
    here = page.file.src_uri
    if here == GLOSSARY:
        return _CELL.sub(lambda cell: f'{cell[1]} id="{slug(cell[2])}">{cell[2]}</td>', html)
    if here.startswith("files/") or here == "log.md":
        return html
    target = posixpath.relpath(GLOSSARY, posixpath.dirname(here) or ".").replace(".md", ".html")
    return link_words(html, words((ROOT / "docs" / GLOSSARY).read_text()), target)


def words(glossary: str) -> list[str]:
    """Return the words of the glossary that may be links, the longest first."""
    found = [word for word in _ROW.findall(glossary) if "---" not in word]
    return sorted((w for w in found if w not in _TOO_COMMON), key=len, reverse=True)


def link_words(html: str, terms: list[str], target: str) -> str:
    """Return a page whose first use of each word is a link; not in headings, code and links.

    **Arguments:** the page; the words; the address of the glossary from there.
    """
    left = {term: re.compile(rf"\b{_forms(term)}\b") for term in terms}

    def linked(text: str) -> str:
        for term, pattern in list(left.items()):
            found = pattern.search(text)
            if found and "\0" not in text[found.start() : found.end()]:
                del left[term]
                marks.append(f'<a class="word" href="{target}#{slug(term)}">{found[0]}</a>')
                mark = f"\0{len(marks) - 1}\0"
                text = f"{text[: found.start()]}{mark}{text[found.end() :]}"
        return re.sub("\0(\\d+)\0", lambda mark: marks[int(mark[1])], text)

    marks: list[str] = []
    return "".join(linked(part) if is_text else part for part, is_text in _parts(html))


def slug(word: str) -> str:
    """Return the anchor of a word in the glossary."""
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")


def _forms(term: str) -> str:
    """Return a pattern for a word: as it stands, with a capital, or in the plural."""
    if term[0].isupper() or "_" in term:
        return re.escape(term)
    first = f"[{term[0]}{term[0].upper()}]"
    rest = re.escape(term[1:])
    return f"{first}{rest[:-1]}(?:y|ies)" if term.endswith("y") else f"{first}{rest}s?"


def _parts(html: str) -> Iterator[tuple[str, bool]]:
    """Yield the tags and the texts of a page, and whether a text may hold links."""
    closed = 0
    for part in _TAG.split(html):
        if part.startswith("<"):
            if _CLOSED.match(part):
                closed += -1 if part.startswith("</") else 1
            yield part, False
        else:
            yield part, closed == 0


def _outside(here: str, path: str) -> str | None:
    """Return where a link of a page leads in the project, if that is outside docs/."""
    if "://" in path or path.startswith(("mailto:", "#")):
        return None
    target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(here), path))
    return None if target.startswith("docs/") else target


def _page_of(target: str) -> str:
    return f"files/{target.replace('/', '-').removesuffix('.md')}.md"


def _as_page(target: str) -> str:
    """Return a file as a page: Markdown as it is, else its lines; of a folder what lies there."""
    path = ROOT / target
    if path.is_dir():
        names = sorted(f"- `{p.name}{'/' if p.is_dir() else ''}`" for p in path.iterdir())
        return "\n".join([f"# {target}", "", *names, ""])
    text = path.read_text()
    if target.endswith(".md"):
        return text.replace("](docs/", "](../").replace("](CITATION", "](../../CITATION")
    language = {".py": "python", ".toml": "toml"}.get(posixpath.splitext(target)[1], "yaml")
    return f"# {target}\n\n````{language}\n{text}````\n"
