"""What people wrote is text on the page, and each component says what it was given."""

from datetime import UTC, datetime

import pytest

from workbench.ui.html import (
    bar_chart,
    chip,
    clock_time,
    empty_state,
    esc,
    markdown,
    metric_tiles,
    plain_reason,
    relative_time,
    source_details,
    table,
)

ATTACK = "<b onclick='x'>\"&"
SAFE = "&lt;b onclick=&#x27;x&#x27;&gt;&quot;&amp;"
NOON = datetime(2026, 5, 4, 12, 0, 0, 999, tzinfo=UTC)


def test_text_can_leave_neither_an_element_nor_an_attribute() -> None:
    assert esc(ATTACK) == SAFE
    assert esc(7) == "7"


@pytest.mark.parametrize(
    "html",
    [
        chip(ATTACK, title=ATTACK),
        empty_state(ATTACK, ATTACK),
        table((ATTACK,), ()),
        metric_tiles([(ATTACK, ATTACK)]),
        bar_chart(ATTACK, {ATTACK: 1}, {}),
        source_details(ATTACK, ""),
    ],
)
def test_no_component_lets_text_become_html(html: str) -> None:
    assert SAFE in html
    assert ATTACK not in html


def test_every_pair_of_ticks_in_a_reason_becomes_quotation_marks() -> None:
    assert (
        plain_reason("`refund` and `tax` need one; a ` alone stays") == "“refund” and “tax” need one; a ` alone stays"
    )


def test_a_time_is_given_to_the_second_for_the_browser_to_show() -> None:
    assert relative_time(NOON, "small") == '<time class="dh-age small" datetime="2026-05-04T12:00:00+00:00"></time>'
    assert clock_time(NOON) == '<time class="dh-clock" datetime="2026-05-04T12:00:00+00:00"></time>'


def test_a_chip_without_a_hint_has_no_title() -> None:
    assert chip("Ready", "ok") == '<span class="dh-chip ok">Ready</span>'
    assert ' title="why"' in chip("Ready", title="why")


def test_cells_are_html_already_and_heads_are_not() -> None:
    html = table(("A & B",), [("<b>x</b>",), ("y",)], "wide")
    assert "<th>A &amp; B</th>" in html
    assert "<tr><td><b>x</b></td></tr><tr><td>y</td></tr>" in html
    assert 'class="dh-table wide"' in html


def test_the_longest_bar_fills_its_row_and_the_others_are_measured_by_it() -> None:
    html = bar_chart("Decisions", {"Approved": 4, "Edited": 1}, {"Approved": "ok"})
    assert '<div class="ok"><span>Approved</span><u><i style="width:100.0%"></i></u><em>4</em></div>' in html
    assert '<div class=""><span>Edited</span><u><i style="width:25.0%"></i></u><em>1</em></div>' in html


def test_a_share_is_measured_by_the_whole() -> None:
    html = bar_chart("Answered", {"Bot alone": 0.4, "By hand": 0.2}, {}, share=True)
    assert '<i style="width:40.0%"></i></u><em>40%</em>' in html


@pytest.mark.parametrize("values", [{}, {"Approved": 0.0}])
def test_bars_without_any_value_say_that_there_is_nothing_yet(values: dict[str, float]) -> None:
    assert "Nothing yet" in bar_chart("Decisions", values, {})
    assert "dh-bars" not in bar_chart("Decisions", values, {})


def test_a_source_shows_its_number_only_where_it_is_cited() -> None:
    assert '<span class="dh-number">0</span>Orders' in source_details("Orders", "<p>x</p>", 0)
    assert "dh-number" not in source_details("Orders", "<p>x</p>")
    assert '<div class="dh-body"><p>x</p></div>' in source_details("Orders", "<p>x</p>")


def test_html_in_markdown_shows_as_text_and_images_are_not_made() -> None:
    assert "<script>" not in markdown("<script>x</script>\n\na <script>y</script>")
    assert "<img" not in markdown("![x](https://x.example/p.png)")


def test_markdown_keeps_its_lines_and_tables() -> None:
    assert "<br" in markdown("one\ntwo")
    assert "<td>1</td>" in markdown("| a |\n|---|\n| 1 |")


@pytest.mark.parametrize("url", ["https://x.example", "HTTP://x.example", "mailto:a@x.example", "tel:+4930123"])
def test_links_with_usual_schemes_are_made(url: str) -> None:
    assert f'href="{url}"' in markdown(f"[x]({url})")


@pytest.mark.parametrize("url", ["javascript:x()", "data:text/html,x", "ftp://x.example", "/relative", "httpsx:y"])
def test_links_with_odd_schemes_stay_text(url: str) -> None:
    assert "href" not in markdown(f"[x]({url})")
