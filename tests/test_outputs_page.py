"""The page: its parts, its policy, that data cannot break out of it, and how a browser takes it."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from compliance.duties.findings import Finding, findings
from compliance.outputs.disclosure import counted, is_small
from compliance.outputs.page import LARGEST, charts, written
from compliance.outputs.page.figures import line
from compliance.outputs.page.measures import MOST_CHARTS
from compliance.outputs.published import Published
from compliance.register.explain import finding_by_id, story
from compliance.register.register import measures
from compliance.register.trend import Point, Series, month_ends
from compliance.rulebook.load import load_rulebook
from compliance.run import Request, Run, run
from conftest import HEREFORDSHIRE, ROOT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"{{7*7}}"
PARTS = ["ladder", "heat", "priority", "risks", "measures", "trend", "due", "confidence", "breaches", "law"]
FALLING = (90, 91, 89, 90, 92, 90, 91, 89, 90, 60, 55, 50)


@pytest.fixture(scope="module")
def published() -> Published:
    """The fixture's run with every breach, and a year of made values for each measure and kind of risk."""
    result = run(Request([HEREFORDSHIRE], load_rulebook(ROOT / "rules")))
    return Published(result, tuple(findings(result.evaluation)), series=tuple(_series(result)))


def _series(result: Run) -> Iterator[Series]:
    for one in measures(result, authority_only=True):
        points = [Point(day, value, 100, float(value)) for day, value in zip(month_ends(result.as_of, 12), FALLING, strict=True)]
        yield Series(one.rule, one.authority, one.rule.measure.unit, one.rule.measure.better, tuple(points))
    for rule in result.rulebook.of_kind("escalation"):
        points = [Point(day, float(place), 1, float(place)) for place, day in enumerate(month_ends(result.as_of, 12))]
        yield Series(rule, result.dataset.authorities[0].code, "count", "lower", tuple(points))


@pytest.fixture(scope="module")
def page(published: Published) -> bytes:
    """The page's bytes."""
    return written(published)


@pytest.fixture(scope="module")
def tree(page: bytes) -> Any:
    """The page as a tree."""
    return html.document_fromstring(page.decode())


def test_the_parts_are_there_in_order_each_with_a_heading(tree: Any) -> None:
    assert [each.get("id") for each in tree.iter("section")] == PARTS
    assert all(each.find("h2") is not None for each in tree.iter("section"))
    assert len(list(tree.iter("h1"))) == 1
    assert "duties are overdue" in next(tree.iter("h1")).text_content()


def test_it_is_small_and_says_what_it_leaves_out(page: bytes, tree: Any, published: Published) -> None:
    assert len(page) <= LARGEST < 2_000_000
    rows = tree.xpath("//table[@id='list']/tbody/tr")
    said = tree.xpath("//section[@id='breaches']/p")[0].text_content()
    assert said.startswith(f"{len(rows):,} of {len(published.findings):,} breaches are on this page")


def test_each_risk_opens_to_findings_and_each_finding_to_its_source_and_law(tree: Any) -> None:
    ids = {each.get("id") for each in tree.iter() if each.get("id")}
    links = {each.get("href")[1:] for each in tree.iter("a") if each.get("href").startswith("#")}
    assert links <= ids
    assert any(link.startswith("f-") for link in links)
    for row in tree.xpath("//table[@id='list']/tbody/tr"):
        said = row.xpath(".//details")[0].text_content()
        assert re.search(r" > row \d+|\.csv|No row: that is the breach", said), said
    assert len(tree.xpath("//details[contains(@class, 'risk')]")) > 20


def test_the_heat_map_holds_every_risk(tree: Any, published: Published) -> None:
    cells = tree.xpath("//table[@class='heat']/tbody/tr/td/b")
    assert sum(int(cell.text.replace(",", "")) for cell in cells) == len(published.register.risks)


def test_the_policy_lets_only_its_own_style_and_script_through(tree: Any) -> None:
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (only,) = tree.iter(tag)
        digest = base64.b64encode(hashlib.sha256(only.text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_nothing_is_loaded_and_nothing_runs_from_an_attribute(tree: Any) -> None:
    for each in tree.iter():
        if not isinstance(each.tag, str):
            continue
        assert each.tag not in ("link", "img", "iframe", "object", "embed", "base", "video", "audio", "source")
        assert not [name for name in each.attrib if name.startswith("on") or name in ("src", "srcset", "style", "action")]
    (style,), (script,) = list(tree.iter("style")), list(tree.iter("script"))
    assert "url(" not in style.text and "@import" not in style.text
    assert "http" not in script.text and "fetch" not in script.text
    assert all(each.get("href").startswith(("#", "http://", "https://")) for each in tree.iter("a"))


def _hostile(one: Finding) -> Finding:
    return dataclasses.replace(one, subject_id=HOSTILE, team_name=HOSTILE, note=HOSTILE, worker_id=HOSTILE, variant=HOSTILE)


def test_hostile_text_stays_text(published: Published) -> None:
    one = next(each for each in published.findings if each.breach == "open" and not each.person_id)
    text = written(Published(published.run, (_hostile(one),))).decode()
    assert "<script>alert(1)" not in text
    assert "<img" not in text
    assert text.count("<script>") == text.count("</script>") == 1
    assert "{{7*7}}" in text
    assert HOSTILE in html.document_fromstring(text).text_content()


def test_the_same_run_gives_the_same_bytes(published: Published, page: bytes) -> None:
    assert written(published) == page


def test_for_publication_there_is_nothing_about_one_person_and_no_small_number(published: Published) -> None:
    text = written(dataclasses.replace(published, public=True)).decode()
    people = {one.person_id for one in published.findings if one.person_id} | {
        one.worker_id for one in published.findings if one.worker_id
    }
    said = set(re.findall(r"[A-Z]+\d+", html.document_fromstring(text).find("body").text_content()))
    assert not said & people
    assert not re.search(r'id="f-', text)
    tree = html.document_fromstring(text)
    cells = [cell.text for cell in tree.xpath("//table[@class='heat']//b")]
    assert "5 or fewer" in cells
    assert not set(cells) & {"1", "2", "3", "4", "5"}


@pytest.mark.parametrize(("number", "words"), [(0, "0"), (1, "5 or fewer"), (5, "5 or fewer"), (6, "6"), (1200, "1,200")])
def test_small_counts_are_not_published(number: int, words: str) -> None:
    assert counted(number, public=True) == words


@pytest.mark.parametrize(
    ("top", "bottom", "small"), [(0, 20, False), (3, 20, True), (17, 20, True), (10, 20, False), (20, 20, False), (0, 4, True)]
)
def test_a_fraction_is_small_where_any_part_of_it_is(top: int, bottom: int, small: bool) -> None:
    assert is_small(top, bottom) is small


def test_every_risk_is_on_the_page_and_opens_to_breaches(tree: Any, published: Published) -> None:
    shown = {each.get("id") for each in tree.xpath("//div[@class='one']")}
    assert shown == {f"r-{one.id}" for one in published.register.risks}
    many = next(one for one in published.register.risks if one.rule.id == "ESC-CHILD-MANY-BREACHES")
    links = tree.xpath(f"//div[@id='r-{many.id}']//a/@href")
    about = [tree.xpath(f"//tr[@id='{link[1:]}']/td[3]")[0].text_content() for link in links]
    assert about and all(many.scope_id in words for words in about)


def test_an_opened_breach_says_what_explain_says(tree: Any, published: Published) -> None:
    for name in [each.get("id")[2:] for each in tree.xpath("//table[@id='list']/tbody/tr")][::150]:
        one = finding_by_id(published.run, name)
        assert one is not None
        told = story(published.run, one)
        row = tree.xpath(f"//tr[@id='f-{name}']//details")[0].text_content()
        law = tree.xpath(f"//dt[@id='rule-{one.rule.id}']/following-sibling::dd[1]")[0].text_content()
        assert all(words.strip() in row for words in told.clock[:-1])
        assert one.message() in row
        assert all(f"{source.role.capitalize()} {source.place}" in row for source in told.rows)
        assert one.rule.law in law
        for words in told.considered:
            assert words.partition(": ")[2] in law or words.startswith("no exceptions")


def test_the_charts_have_limits_and_signals_in_words(tree: Any, published: Published) -> None:
    figures = tree.xpath("//section[@id='trend']//figure")
    assert len(figures) == MOST_CHARTS
    assert all(len(each.xpath("./svg")) == 1 for each in figures)
    said = figures[0].text_content().strip()
    assert said.startswith("Assessments authorised within 45 working days")
    assert "worse than 90.0% in Oct 2020" in said
    assert "natural limits" in said and "provisional" not in said
    assert "a point outside the limits: Jul 2021 to Sep 2021" in said
    shorter = [dataclasses.replace(one, points=one.points[-5:]) for one in published.series]
    said = written(dataclasses.replace(published, series=tuple(shorter))).decode()
    assert "<strong>provisional</strong>: only 5 points" in said


def test_the_page_without_a_trend_says_how_to_have_one(published: Published) -> None:
    tree = html.document_fromstring(written(dataclasses.replace(published, series=())).decode())
    assert "compliance report DATASET" in tree.xpath("//section[@id='trend']")[0].text_content()
    assert not tree.xpath("//section[@id='trend']//svg")
    assert len(tree.xpath("//section[@id='measures']//svg[@class='chart']")) == 2


def test_a_kind_of_risk_has_its_direction(tree: Any) -> None:
    summaries = tree.xpath("//details[@class='risk']/summary")
    assert all(len(each.xpath(".//svg[@class='spark']")) == 1 for each in summaries)
    words = " ".join(each.text_content() for each in summaries)
    assert "0 in Oct 2020, 11 now" in words
    assert "raised since Nov 2020" in words


def test_a_chart_is_shapes_and_text_alone() -> None:
    drawn = charts.bars([charts.Compared("<b>A long title that is to be set on more than one line</b>", 50, 90, 70, "50.0% ✗")])
    root = html.fragment_fromstring(str(drawn))
    assert {each.tag for each in root.iter()} <= {"svg", "g", "path", "line", "text", "tspan", "rect"}
    assert not [name for each in root.iter() for name in each.attrib if name in ("style", "class", "href") and each is not root]
    assert "&lt;b&gt;A long title" in str(drawn)
    inside = '<script>x</script><g onload="y" style="z"><text fill="red">t</text></g>'
    kept = str(charts.cleaned(f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>'))
    assert kept == '<svg class="chart" aria-hidden="true" focusable="false"><text fill="red">t</text></svg>'


def test_lines_keep_within_their_box() -> None:
    assert 'd="M3 17L77 3"' in str(line([0, 25], 0, 25))
    assert "nan" not in str(line([5], 0, 25)).lower()


@pytest.fixture(scope="module")
def path(page: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as a file."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_bytes(page)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser driven by playwright, which brings none of its own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core, as the wheel of axe-playwright-python brings it."""
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: `make browser` installs it on Debian")
class TestInChromium:
    """The page in headless Chromium."""

    @pytest.fixture
    def opened(self, browser: Any, path: Path) -> Iterator[Any]:
        """The page opened; at the end, no error was said and nothing but the file was asked for."""
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        tab = context.new_page()
        said: list[str] = []
        asked: list[str] = []
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(path.as_uri())
        yield tab
        assert said == []
        assert set(asked) <= {path.as_uri()}
        context.close()

    def test_it_filters_and_sorts(self, opened: Any) -> None:
        visible = "#list tbody tr:not([hidden])"
        every = opened.locator(visible).count()
        opened.select_option("select[name=severity]", "critical")
        critical = opened.locator(visible).count()
        assert 0 < critical < every
        assert f"{critical} of {every} breaches" in opened.inner_text("#told")
        opened.select_option("select[name=sort]", "over")
        over = [int(text) for text in opened.locator(f"{visible} td:nth-child(7)").all_text_contents()]
        assert over == sorted(over, reverse=True)
        opened.select_option("select[name=theme]", "fostering")
        assert 0 < opened.locator(".risk:not([hidden])").count() < opened.locator(".risk").count()
        opened.click("button[type=reset]")
        opened.locator(visible).nth(every - 1).wait_for()

    def test_a_link_from_a_risk_opens_its_finding_even_when_filtered_out(self, opened: Any) -> None:
        opened.locator("input[name=words]").fill("no such words")
        first = opened.locator(".risk a[href^='#f-']").first
        name = first.get_attribute("href")[1:]
        opened.evaluate(f"location.hash = '{name}'")
        opened.locator(f"#{name} details[open]").wait_for()
        assert opened.locator(f"#{name}").is_visible()

    def test_the_keyboard_alone_reaches_and_opens_a_risk(self, opened: Any) -> None:
        opened.keyboard.press("Tab")
        assert opened.evaluate("document.activeElement.className") == "skip"
        opened.locator(".risk summary").first.focus()
        opened.keyboard.press("Enter")
        assert opened.evaluate("document.querySelector('.risk').open")

    def test_an_opened_breach_shows_the_law_of_its_rule(self, opened: Any) -> None:
        row = opened.locator("#list tbody tr").first
        row.locator("summary").click()
        law = row.locator(".law")
        law.wait_for()
        rule = row.locator("td").nth(1).inner_text()
        said = opened.locator(f"#rule-{rule} + dd").text_content().split()
        assert law.text_content().split() == said and len(said) > 10

    def test_it_opens_soon(self, browser: Any, path: Path) -> None:
        """Half a second on a machine with nothing else to do; three where tests run beside it."""
        took = []
        for _ in range(3):
            tab = browser.new_page()
            tab.goto(path.as_uri())
            took.append(tab.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
            tab.close()
        assert min(took) < 3_000

    def test_it_fits_a_phone_and_200_per_cent(self, opened: Any) -> None:
        for width in (320, 390, 640):
            opened.set_viewport_size({"width": width, "height": 800})
            assert opened.evaluate("document.documentElement.scrollWidth") <= width

    def test_it_prints_to_a4(self, opened: Any) -> None:
        content = opened.pdf(format="A4", print_background=True)
        assert content.startswith(b"%PDF")
        assert 2 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 20

    def test_it_can_be_read_without_its_script(self, browser: Any, path: Path) -> None:
        context = browser.new_context(java_script_enabled=False)
        tab = context.new_page()
        tab.goto(path.as_uri())
        assert tab.locator("#list tbody tr").count() > 0
        assert not tab.locator("#filter").is_visible()
        context.close()

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_axe_finds_no_violation(self, browser: Any, path: Path, axe: str, scheme: str) -> None:
        context = browser.new_context(color_scheme=scheme, bypass_csp=True)
        tab = context.new_page()
        tab.goto(path.as_uri())
        tab.evaluate("document.querySelectorAll('#list tbody tr').forEach((row, place) => place > 40 && row.remove())")
        tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        # Sizes are measured, so the parts that wait for scrolling are laid out first.
        tab.add_style_tag(content="#breaches, #law { content-visibility: visible !important }")
        tab.evaluate(axe)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        result = tab.evaluate("(tags) => axe.run({runOnly: tags})", tags)
        told = [(one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"]) for one in result["violations"]]
        assert told == []
        context.close()
