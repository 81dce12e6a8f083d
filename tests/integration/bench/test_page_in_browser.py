"""The page as people use it: a real browser, offline, wide and narrow, light and dark, with keyboard and printer."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from faketagger.bench.page import load_run, write_page
from faketagger.bench.picture_table import MOST_ROWS
from faketagger.bench.report import render_report
from tests.helpers.browser import Watched, open_browser
from tests.helpers.made_runs import make_run

WIDE = {"width": 1280, "height": 900}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as found:
        yield found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished folder with everything a page can show."""
    return make_run(tmp_path_factory.mktemp("runs") / "one", pictures=16)


@pytest.fixture(scope="module")
def alone(run: Path) -> Path:
    """The page of one run."""
    return write_page([run])


@pytest.fixture(scope="module")
def comparison(run: Path) -> Path:
    """The page of three runs."""
    others = [make_run(run.parent / name, name, psnr, 16, 0.05) for name, psnr in (("toy2", 34.0), ("rival", 42.0))]
    return write_page([run, *others])


def opened(browser: Any, page: Path, **context: Any) -> Watched:
    watched = Watched(browser, **({"viewport": WIDE} | context))
    watched.page.goto(page.as_uri())
    return watched


@pytest.mark.parametrize("context", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"])
def test_nothing_is_fetched_nothing_goes_wrong_nothing_sticks_out(
    browser: Any, comparison: Path, context: dict[str, Any]
) -> None:
    watched = opened(browser, comparison, **context)
    page = watched.page
    page.locator(".zoomable").nth(4).click()
    page.keyboard.press("Escape")
    page.locator("[data-column=p]").click()
    assert watched.overflow() <= 0
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0 && image.alt)")
    nameless = (
        "[...document.querySelectorAll('button')]"
        ".filter(b => !b.textContent.trim() && !b.ariaLabel && !b.querySelector('img[alt]')).length"
    )
    assert page.evaluate(nameless) == 0
    assert watched.wrong == []
    watched.close()


def test_dark_mode_changes_paper_ink_and_plots(browser: Any, comparison: Path) -> None:
    def colours(scheme: str) -> tuple[str, str, str]:
        watched = opened(browser, comparison, color_scheme=scheme)
        page = watched.page
        found = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,"
            " getComputedStyle(document.querySelector('figure svg text')).fill]"
        )
        watched.close()
        return tuple(found)

    light, dark = colours("light"), colours("dark")
    assert all(one != other for one, other in zip(light, dark, strict=True))
    assert light[1] == light[2]
    assert dark[1] == dark[2]


def test_a_strip_opens_and_is_walked_through_by_keyboard(browser: Any, alone: Path) -> None:
    watched = opened(browser, alone)
    page = watched.page
    tile = page.locator(".zoomable").nth(4)
    tile.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#zoom")
    assert dialog.is_visible()
    panes = page.locator("#zoom .panes img")
    shown = tile.locator("img")
    sources = [panes.nth(place).get_attribute("src") for place in range(panes.count())]
    tagged = page.locator(".zoomable img").nth(1).get_attribute("src")
    assert sources == [tagged, *(shown.get_attribute(name) for name in ("src", "data-change", "data-face"))]
    assert "jpeg 90" in page.locator("#zoom-title").inner_text()
    page.keyboard.press("ArrowRight")
    assert "jpeg 50" in page.locator("#zoom-title").inner_text()
    before = panes.nth(1).bounding_box()["width"]
    page.locator("#zoom .panes button").nth(1).click()
    assert panes.nth(1).bounding_box()["width"] > 1.5 * before
    assert page.locator("#zoom .panes button:visible").count() == 1
    for _ in range(3):
        page.locator("[data-step='-1']").click()
    assert page.locator("#zoom .panes").inner_text().startswith("original")
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert watched.wrong == []
    watched.close()


def rows_of(page: Any, column: int) -> list[str]:
    return page.locator(f".reads tbody td:nth-child({column})").all_inner_texts()


def test_the_table_of_reads_sorts_and_filters(browser: Any, run: Path, alone: Path) -> None:
    records = load_run(run).records
    tagged = records[records["kind"] == "tagged"]
    watched = opened(browser, alone)
    page = watched.page
    status = page.locator(".pager [role=status]")
    assert status.inner_text() == f"1–50 of {len(tagged)}"
    unsorted = rows_of(page, 8)
    share = page.locator("[data-column=share]")
    share.click()
    assert share.locator("..").get_attribute("aria-sort") == "ascending"
    up = [float(text.split()[0]) for text in rows_of(page, 8)]
    worst = (100 * tagged["matched"] / tagged["bits"]).nsmallest(50)
    assert up == sorted(up) == pytest.approx(worst.tolist(), abs=0.06)
    assert rows_of(page, 8) != unsorted
    share.press("Enter")
    down = [float(text.split()[0]) for text in rows_of(page, 8)]
    assert down == sorted(down, reverse=True)
    assert down[0] > up[0]
    page.locator("select[name=attack]").select_option(label="jpeg 30")
    page.locator("select[name=view]").select_option(label="face")
    assert status.inner_text() == "1–16 of 16"
    assert {*rows_of(page, 3), *rows_of(page, 4)} == {"jpeg 30", "face"}
    page.locator("input[name=text]").fill("Person 3")
    assert set(rows_of(page, 2)) == {"person 3"}
    assert status.inner_text() == "1–2 of 2"
    page.locator("input[name=text]").fill("nobody")
    assert status.inner_text() == "0–0 of 0"
    page.locator("button[type=reset]").click()
    page.locator("select[name=state]").select_option(label="failed")
    assert set(rows_of(page, 7)) == {"not read"}
    assert set(rows_of(page, 3)) == {"Real-ESRGAN"}
    page.locator("button[type=reset]").click()
    page.get_by_role("button", name="next").click()
    assert status.inner_text().startswith("51–100 of ")
    assert watched.wrong == []
    watched.close()


def test_tens_of_thousands_of_reads_do_not_freeze_the_page(browser: Any, run: Path, tmp_path: Path) -> None:
    source = load_run(run)
    one = source.records
    copies = -(-MOST_ROWS // len(one)) + 20
    many = [one.assign(picture=one["picture"].astype(str) + f"-{number}") for number in range(copies)]
    path = tmp_path / "big.html"
    path.write_text(render_report(replace(source, records=pd.concat(many, ignore_index=True))))
    assert path.stat().st_size < 3_000_000
    watched = opened(browser, path)
    page = watched.page
    kept = page.evaluate("JSON.parse(document.getElementById('reads-data').textContent).rows")
    assert 0.95 * MOST_ROWS < kept <= MOST_ROWS
    assert f"{kept:,} of {copies * len(one):,} reads" in page.locator("#reads").inner_text()
    page.locator("select[name=kind]").select_option(label="all")
    seconds = page.evaluate(
        "() => { const began = performance.now(); document.querySelector('[data-column=p]').click();"
        " const text = document.querySelector('input[name=text]'); text.value = 'p00003';"
        " text.dispatchEvent(new Event('input', {bubbles: true})); return (performance.now() - began) / 1000; }"
    )
    assert seconds < 2
    assert page.locator(".reads tbody tr").count() == 50
    assert all(name.startswith("p00003") for name in rows_of(page, 1))
    assert watched.wrong == []
    watched.close()


def test_it_prints_on_a4(browser: Any, comparison: Path, tmp_path: Path) -> None:
    watched = opened(browser, comparison, viewport={"width": 688, "height": 970})
    page = watched.page
    page.emulate_media(media="print")
    assert watched.overflow() <= 0
    cut = (
        "[...document.querySelectorAll('main table, main figure > svg')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).length"
    )
    assert page.evaluate(cut) == 0
    assert not page.locator("#reads").is_visible()
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert 4 <= pdf.count(b"/Type /Page\n") <= 15
    watched.close()
