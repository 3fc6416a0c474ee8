"""The page of a report in a real browser: what it looks like, and what it must not do.

Screenshots are kept in `build/report`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from app.cli.reports import html
from app.cli.reports.report import Report, Workload
from tests.tools import needed, shown_reports
from tests.tools.browser import Connection, Page, browser

pytestmark = pytest.mark.integration

SHOTS: Final = Path(__file__).resolve().parent.parent.parent / "build" / "report"

WIDTHS: Final = (390, 820, 1280)
"""Columns of pixels: a telephone, a tablet, a desk."""

LEAST_CONTRAST: Final = 4.5
"""WCAG 2.2, 1.4.3, level AA: https://www.w3.org/TR/WCAG22/#contrast-minimum."""

OPEN_ALL: Final = "document.querySelectorAll('details').forEach(d => d.open = true)"

BACKGROUNDS: Final = """
function rgb(text) { return text.match(/[\\d.]+/g).map(Number) }
function luminance(colour) {
  const [r, g, b] = colour.slice(0, 3).map(v => v / 255).map(
    v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
function behind(element) {
  for (let e = element; e; e = e.parentElement) {
    const found = rgb(getComputedStyle(e).backgroundColor)
    if (found.length < 4 || found[3] === 1) return found
    if (found[3] !== 0) throw new Error('a see-through background')
  }
  throw new Error('no background')
}
function texts() {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const found = []
  while (walker.nextNode()) {
    if (walker.currentNode.data.trim()) found.push(walker.currentNode)
  }
  return found
}
"""

CONTRASTS: Final = f"""(() => {{ {BACKGROUNDS}
return texts().map(text => {{
  const element = text.parentElement
  const pair = [luminance(rgb(getComputedStyle(element).color)),
                luminance(behind(element))].sort((a, b) => b - a)
  return [text.data.trim(), (pair[0] + 0.05) / (pair[1] + 0.05)]
}}) }})()"""

UNSEEN: Final = f"""(() => {{ {BACKGROUNDS}
return texts().filter(text => {{
  const range = document.createRange()
  range.selectNodeContents(text)
  const size = range.getBoundingClientRect()
  const element = text.parentElement
  const style = getComputedStyle(element)
  return !element.checkVisibility({{checkOpacity: true, checkVisibilityCSS: true}})
    || size.width < 1 || size.height < 1 || parseFloat(style.fontSize) < 11
}}).map(text => text.data.trim()) }})()"""

OVERFLOWING: Final = """(() => {
const root = document.documentElement
const seen = [[root.scrollWidth, root.clientWidth]]
for (const element of document.querySelectorAll('body *')) {
  const isBox = element.closest('.box')
  const right = element.getBoundingClientRect().right
  if (!isBox && right > root.clientWidth + 0.5)
    seen.push([element.outerHTML.slice(0, 80), right])
}
return seen })()"""

CUT: Final = """(() => {
return [...document.querySelectorAll('body *')].filter(element => {
  const kind = getComputedStyle(element).overflowX
  return kind === 'hidden' && element.scrollWidth > element.clientWidth
}).map(element => element.outerHTML.slice(0, 80)) })()"""

MARKUP: Final = (
    "</script><script>document.title='owned'</script>",
    '"><img src="https://evil.example/x.png" onerror="document.title=1">',
    "<style>body{display:none}</style>",
    "' onmouseover='document.title=2",
    "javascript:document.title=3",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[31m\x00\u202eevil\ud800",
)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shown() -> AsyncIterator[Connection]:
    (program,) = needed.programs("chromium")
    async with browser(program) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def page(shown: Connection) -> Page:
    return await shown.page()


def hostile(text: str) -> Report:
    """A report in which every text that comes from elsewhere is this one."""
    reason = replace(
        shown_reports.VFIO, rule=text, what=text, want=text, found=text, advice=text
    )
    misfit = shown_reports.MISFIT
    cells = tuple(
        replace(one, chosen=text, reasons=(reason,)) for one in misfit.rows[0].cells
    )
    rows = tuple(replace(one, nodes=(text, text), cells=cells) for one in misfit.rows)
    image = replace(
        shown_reports.SIDECAR,
        image=text,
        containers=(text,),
        answers=dict.fromkeys(shown_reports.SIDECAR.answers, text),
    )
    workload: Workload = replace(
        misfit,
        name=text,
        place=text,
        texts=(text,),
        images=(image, image),
        rows=rows,
        nearest=replace(shown_reports.NEAREST, node=text, reasons=(reason,)),
        excluded={text: 1},
    )
    return Report(
        origin=text, known_nodes=3, workloads=(workload, workload), notes=(text,)
    )


def long() -> Report:
    """Names and values as long as Kubernetes and the spec's bounds let them be."""
    return hostile("registry.example.com/" + "long-name-" * 23 + ":2.1")


REPORTS: Final = {**shown_reports.REPORTS, "long": long()}


async def opened(page: Page, report: Report, folder: Path) -> None:
    file = folder / "report.html"
    file.write_text(html.page(report), encoding="utf-8")
    await page.open(file.as_uri())
    assert [file.as_uri()] == page.requests
    assert [] == page.faults


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", REPORTS)
async def test_the_page_can_be_read(
    page: Page, name: str, width: int, dark: bool, tmp_path: Path
) -> None:
    await page.look(width=width, dark=dark)
    await opened(page, REPORTS[name], tmp_path)
    scheme = "dark" if dark else "light"
    await page.screenshot(SHOTS / f"{name}-{scheme}-{width}.png")
    await page.evaluate(OPEN_ALL)

    (root, client), *outside = await page.evaluate(OVERFLOWING)
    assert root <= client == width
    assert [] == outside
    assert [] == await page.evaluate(CUT)
    assert [] == await page.evaluate(UNSEEN)
    contrasts = await page.evaluate(CONTRASTS)
    assert [] == [one for one in contrasts if one[1] < LEAST_CONTRAST]
    assert len(contrasts) > 5
    assert [] == page.faults


@pytest.mark.asyncio(loop_scope="module")
async def test_a_dark_page_is_dark(page: Page, tmp_path: Path) -> None:
    """And a light one light: the contrast alone would not tell."""
    script = f"(() => {{ {BACKGROUNDS} return luminance(behind(document.body)) }})()"
    found: dict[bool, float] = {}
    for dark in (False, True):
        await page.look(width=1280, dark=dark)
        await opened(page, shown_reports.ONE, tmp_path)
        found[dark] = await page.evaluate(script)
    assert found[True] < 0.05
    assert found[False] > 0.8


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("text", MARKUP, ids=range(len(MARKUP)))
async def test_what_comes_from_elsewhere_is_text(
    page: Page, text: str, tmp_path: Path
) -> None:
    await page.look(width=1280)
    await opened(page, hostile(text), tmp_path)
    count = "document.querySelectorAll('script, img, style, link, iframe').length"
    attributes = (
        "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes])"
        ".filter(a => a.name.startsWith('on') || a.value.startsWith('javascript:')"
        " && a.name !== 'aria-label').length"
    )
    assert 1 == await page.evaluate(count)
    assert 0 == await page.evaluate(attributes)
    assert (await page.evaluate("document.title")).startswith("does not fit")
    if text.isprintable():
        assert text in await page.evaluate("document.body.innerText")


@pytest.mark.asyncio(loop_scope="module")
async def test_the_policy_forbids_what_escaping_would_let_through(
    page: Page, tmp_path: Path
) -> None:
    """The second wall, were the first one broken."""
    broken = html.page(shown_reports.ONE).replace(
        "<main>", "<main><script>document.title = 'owned'</script><img src='x.png'>"
    )
    file = tmp_path / "broken.html"
    file.write_text(broken)
    await page.open(file.as_uri())
    assert "owned" != await page.evaluate("document.title")
    blocked = [one["issue"]["code"] for one in page.faults if "issue" in one]
    assert {"ContentSecurityPolicyIssue"} == set(blocked)


async def roles(page: Page) -> list[tuple[str, str]]:
    nodes = (await page.ask("Accessibility.getFullAXTree"))["nodes"]
    return [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    ]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_screen_reader_finds_its_way(page: Page, tmp_path: Path) -> None:
    await page.look(width=1280)
    await opened(page, shown_reports.SEVERAL, tmp_path)
    found = await roles(page)
    kinds = [role for role, _ in found]
    for landmark in ("banner", "main", "contentinfo"):
        assert 1 == kinds.count(landmark)
    assert ("heading", "Image compatibility") in found
    assert ("columnheader", "trainer:2.1") in found
    assert ("rowheader", "gpu-a") in found
    assert ("region", "Nodes and images of Deployment ml/train") in found
    assert ("link", "Deployment web/shop") in found
    assert "en" == await page.evaluate("document.documentElement.lang")


@pytest.mark.asyncio(loop_scope="module")
async def test_paper_shows_what_a_screen_folds_away(page: Page, tmp_path: Path) -> None:
    await page.look(width=1280)
    await opened(page, shown_reports.SEVERAL, tmp_path)
    closed = "document.querySelector('.workload.fits table').checkVisibility()"
    height = "document.querySelector('.workload.fits').getBoundingClientRect().height"
    assert not await page.evaluate(closed)
    folded = await page.evaluate(height)
    await page.media("print")
    assert await page.evaluate(height) > folded + 100
    printed: dict[str, Any] = await page.ask("Page.printToPDF")
    assert len(printed["data"]) > 10_000
