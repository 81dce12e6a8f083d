"""The leaderboard as people use it: a real browser, offline; its tables sort by any column, up and down."""

from collections.abc import Iterator
from typing import Any

import pytest

from faketagger.places import repository_root
from tests.helpers.browser import Watched, open_browser

PAGE = repository_root() / "results" / "leaderboard.html"
WIDE = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as found:
        yield found


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def watched(browser: Any, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """The page, opened."""
    opened = Watched(browser, **request.param)
    opened.page.goto(PAGE.as_uri())
    yield opened
    opened.close()


def column(watched: Watched, place: int) -> list[str]:
    """Texts of a column of the first table, from the top."""
    return list(watched.page.locator("table").first.locator(f"tbody tr > :nth-child({place + 1})").all_text_contents())


def test_nothing_is_fetched_nothing_goes_wrong_nothing_sticks_out(watched: Watched) -> None:
    watched.page.locator("thead button").first.click()
    assert not watched.wrong
    assert watched.overflow() <= 0


def test_a_click_sorts_by_numbers_and_a_second_one_turns_it_round(watched: Watched) -> None:
    table = watched.page.locator("table").first
    heads = table.locator("thead th")
    names = column(watched, 0)
    for place in range(1, heads.count()):
        heads.nth(place).locator("button").click()
        down = column(watched, place)
        assert heads.nth(place).get_attribute("aria-sort") == "descending"
        numbers = [float(text.split()[0]) for text in down if text[:1].isdigit()]
        assert len(numbers) >= 2
        assert numbers == sorted(numbers, reverse=True)
        assert all(text[:1].isdigit() for text in down[: len(numbers)]), "what is not there comes last"
        heads.nth(place).locator("button").click()
        assert heads.nth(place).get_attribute("aria-sort") == "ascending"
        turned = [float(text.split()[0]) for text in column(watched, place) if text[:1].isdigit()]
        assert turned == sorted(numbers)
    assert sorted(column(watched, 0)) == sorted(names)
    assert table.locator("[aria-sort]").count() == 1


def test_names_sort_as_words(watched: Watched) -> None:
    table = watched.page.locator("table").first
    button = table.locator("thead th").first.locator("button")
    button.click()
    first = column(watched, 0)
    button.click()
    assert column(watched, 0) == first[::-1]
    assert len(set(first)) == len(first) > 3
