"""The results page, drawn from real marts and seen in a real browser."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tarn.dataset import find_dataset
from tarn.errors import LoadFailed
from tarn.local.emulators import emulators
from tarn.local.supervisor import Supervisor
from tarn.marts import build_marts
from tarn.partition import Partition
from tarn.pipeline import run_partition
from tarn.report.page import write_report
from tarn.settings import Settings

pytestmark = pytest.mark.slow

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One month of green taxis, from the publisher to the marts."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    gcs, bigquery, publishers = (probe.getsockname()[1] for probe in probes)
    for probe in probes:
        probe.close()
    home = tmp_path_factory.mktemp("report")
    settings = Settings(home=home, sample_rows=2000, gcs_port=gcs, bigquery_port=bigquery, publishers_port=publishers)
    supervisor = Supervisor(home)
    try:
        supervisor.start(emulators(settings), lambda _service, _seconds: None)
        month = Partition.parse("2020-04")
        for name in ("taxi_green", "taxi_yellow", "taxi_zones"):
            list(run_partition(find_dataset(name, settings.datasets_folder), month, settings))
        build_marts(settings, month, month, pipeline="taxi", say=print)
        yield settings
    finally:
        supervisor.stop(emulators(settings))


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    """A page of the Chromium that this machine has."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("this machine has no Chromium to look at the page with")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page()
        browser.close()


def test_the_page_shows_every_chart_of_a_built_pipeline(lake: Settings, browser_page: Page) -> None:
    troubles: list[str] = []
    asked: list[str] = []
    browser_page.on("pageerror", lambda error: troubles.append(str(error)))
    browser_page.on("request", lambda request: asked.append(request.url))
    path = write_report(lake, lake.home / "report.html")
    browser_page.goto(path.as_uri())

    section = browser_page.locator("#taxi + .charts")
    section.locator(".main-svg").first.wait_for()
    titles = section.locator("h3").all_inner_texts()
    assert titles == ["Fares by day", "Trips by month", "Busiest zones", "Tips"]
    assert section.locator(".js-plotly-plot").count() == len(titles)
    bars = section.locator("figure", has_text="Trips by month").locator(".legendtext").all_text_contents()
    assert bars == ["green", "yellow"]
    assert browser_page.locator("tr", has_text="taxi_green").inner_text().split("\t")[2:4] == ["2020-04", "2020-04"]
    assert troubles == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_charts_lie_within_their_frames(lake: Settings, browser_page: Page) -> None:
    browser_page.set_viewport_size({"width": 1280, "height": 900})
    browser_page.goto(write_report(lake, lake.home / "report.html").as_uri())
    for frame in browser_page.locator("figure").all():
        drawing = frame.locator(".main-svg").first.bounding_box()
        around = frame.bounding_box()
        assert drawing is not None
        assert around is not None
        assert drawing["x"] >= around["x"]
        assert drawing["x"] + drawing["width"] <= around["x"] + around["width"]


def test_marts_that_are_not_built_are_told(lake: Settings, tmp_path: Path) -> None:
    elsewhere = lake.model_copy(update={"marts_dataset": "nothing_yet"})
    page = write_report(elsewhere, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Not built yet: <code>make demo PIPELINE=taxi</code>" in page


def test_a_chart_whose_query_is_wrong_is_named(lake: Settings, tmp_path: Path) -> None:
    charts = tmp_path / "dbt" / "charts"
    charts.mkdir(parents=True)
    declaration = "- {title: Odd, caption: none, kind: bar, sql: SELECT nothing, x: a, y: b}\n"
    (charts / "taxi.yaml").write_text(declaration, encoding="utf-8")
    (tmp_path / "datasets").mkdir()
    with pytest.raises(LoadFailed, match=r"The chart 'Odd': .*Unrecognized name: nothing"):
        write_report(lake.model_copy(update={"root": tmp_path}), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
