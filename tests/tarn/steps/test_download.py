"""download against the publishers' own offline server, started by its command, with the faults that it can make."""

import datetime as dt
import gzip
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import requests

from tarn.arrival import Damaged, inspect
from tarn.dataset import Dataset, find_dataset
from tarn.errors import DownloadRefused, InvalidDataset, NotPublished, PublisherUnavailable
from tarn.fetch import PartFile, Validators
from tarn.partition import Partition
from tarn.receipt import Receipt
from tarn.retry import RetryPolicy
from tarn.settings import CHECKOUT, Settings
from tarn.source import SourceFormat
from tarn.staging import Workspace
from tarn.steps.download import download as download_step

MONTH = Partition.parse("2020-04")
FILE = "/taxi/green/green_tripdata_2020-04.csv.gz"
EAGER = RetryPolicy(tries=4, few_tries=2, first_wait=0.001, longest_wait=0.01, total_wait=5)

download = partial(download_step, policy=EAGER)


class Publishers:
    """A running server of the publishers."""

    def __init__(self, url: str) -> None:
        self.url = url

    def arm(self, kind: str, path: str = FILE, **particulars: int) -> None:
        fault = {"path": path, "kind": kind, **particulars}
        requests.post(f"{self.url}/_faults", json=fault, timeout=10).raise_for_status()

    def armed(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = requests.get(f"{self.url}/_faults", timeout=10).json()
        return found

    def content(self, path: str = FILE) -> bytes:
        return requests.get(self.url + path, timeout=60).content


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publishers]:
    folder = str(tmp_path_factory.mktemp("publishers"))
    command = [sys.executable, "-m", "tarn_publishers", "--port", "0", "--rows", "20000", "--data-dir", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield Publishers(process.stdout.readline().split()[-1])
        finally:
            process.terminate()


@pytest.fixture
def publishers(server: Publishers) -> Iterator[Publishers]:
    yield server
    requests.delete(f"{server.url}/_faults", timeout=10)


@pytest.fixture
def settings(tmp_path: Path, publishers: Publishers) -> Settings:
    return Settings(home=tmp_path / "home", publishers=publishers.url)


@pytest.fixture
def green() -> Dataset:
    return find_dataset("taxi_green", CHECKOUT / "datasets")


def raw_file(dataset: Dataset, settings: Settings) -> Path:
    return Workspace.of(dataset, MONTH, settings).raw(Path(FILE).name)


def test_the_file_arrives_byte_for_byte_with_its_version(
    green: Dataset, settings: Settings, publishers: Publishers
) -> None:
    heard: list[tuple[int, int | None, str]] = []
    receipt = download(green, MONTH, settings, progress=lambda *call: heard.append(call))
    content = publishers.content()
    assert raw_file(green, settings).read_bytes() == content
    assert (receipt.reads[0].uri, receipt.reads[0].bytes) == (publishers.url + FILE, len(content))
    assert receipt.reads[0].etag
    assert receipt.reads[0].last_modified
    assert not receipt.reused
    assert heard[-1] == (len(content), len(content), "bytes")
    assert [path.name for path in raw_file(green, settings).parent.iterdir()] == [Path(FILE).name]


def test_an_unchanged_file_is_not_sent_again(green: Dataset, settings: Settings) -> None:
    first = download(green, MONTH, settings)
    again = download(green, MONTH, settings)
    assert (first.reused, again.reused) == (False, True)
    assert again.finished_at == first.finished_at
    assert download(green, MONTH, settings, force=True).finished_at != first.finished_at


def test_a_file_that_the_publisher_replaced_is_fetched(
    green: Dataset, settings: Settings, publishers: Publishers
) -> None:
    first = download(green, MONTH, settings)
    publishers.arm("changed")
    second = download(green, MONTH, settings)
    assert not second.reused
    assert second.writes[0].crc32c != first.writes[0].crc32c


def test_a_file_that_someone_spoilt_is_fetched(green: Dataset, settings: Settings, publishers: Publishers) -> None:
    download(green, MONTH, settings)
    raw_file(green, settings).write_bytes(b"spoilt")
    download(green, MONTH, settings)
    assert raw_file(green, settings).read_bytes() == publishers.content()


@pytest.mark.parametrize(
    ("kind", "particulars"),
    [
        ("503", {"times": 2}),
        ("429", {"retry_after": 0}),
        ("cut", {"after": 1000}),
        ("cut", {"after": 3000, "times": 3}),
        ("wrong-length", {"short": 50}),
    ],
)
def test_a_failure_that_passes_is_overcome(
    kind: str, particulars: dict[str, int], green: Dataset, settings: Settings, publishers: Publishers
) -> None:
    publishers.arm(kind, **particulars)
    download(green, MONTH, settings)
    assert publishers.armed() == []
    assert raw_file(green, settings).read_bytes() == publishers.content()


def test_tries_that_bring_bytes_do_not_count(green: Dataset, settings: Settings, publishers: Publishers) -> None:
    publishers.arm("cut", after=500, times=EAGER.tries * 2)
    download(green, MONTH, settings)
    assert raw_file(green, settings).read_bytes() == publishers.content()


def test_a_killed_download_goes_on_where_it_ended(green: Dataset, settings: Settings, publishers: Publishers) -> None:
    content = publishers.content()
    etag = requests.head(publishers.url + FILE, timeout=10).headers["ETag"]
    begin_part(green, settings, publishers, etag).write_bytes(content[:5000])
    heard: list[int] = []
    download(green, MONTH, settings, progress=lambda done, total, unit: heard.append(done))
    assert heard[0] > 5000
    assert raw_file(green, settings).read_bytes() == content


def test_bytes_of_another_version_are_never_added_to(
    green: Dataset, settings: Settings, publishers: Publishers
) -> None:
    begin_part(green, settings, publishers, '"an older one"').write_bytes(b"x" * 5000)
    download(green, MONTH, settings)
    assert raw_file(green, settings).read_bytes() == publishers.content()


def test_a_part_that_was_whole_already_is_published(green: Dataset, settings: Settings, publishers: Publishers) -> None:
    head = requests.head(publishers.url + FILE, timeout=10).headers
    part = begin_part(green, settings, publishers, head["ETag"], head["Last-Modified"])
    part.write_bytes(publishers.content())
    download(green, MONTH, settings)
    assert raw_file(green, settings).read_bytes() == publishers.content()
    assert not part.exists()


def begin_part(
    dataset: Dataset, settings: Settings, publishers: Publishers, etag: str, last_modified: str | None = None
) -> Path:
    path = raw_file(dataset, settings)
    path.parent.mkdir(parents=True)
    part = PartFile(path, publishers.url + FILE)
    part.begin(Validators(etag, last_modified)).close()
    return part.path


@pytest.mark.parametrize(
    ("kind", "words"), [("html", "web page"), ("empty", "is empty"), ("lfs-pointer", "Git LFS pointer")]
)
def test_what_is_not_the_file_is_refused_by_name(
    kind: str, words: str, green: Dataset, settings: Settings, publishers: Publishers
) -> None:
    publishers.arm(kind)
    with pytest.raises(DownloadRefused, match=words) as refusal:
        download(green, MONTH, settings)
    assert "taxi_green 2020-04" in str(refusal.value)
    assert FILE in str(refusal.value)
    assert list(raw_file(green, settings).parent.iterdir()) == []


def test_a_file_that_comes_damaged_each_time_is_refused(
    green: Dataset, settings: Settings, publishers: Publishers
) -> None:
    publishers.arm("wrong-length", times=EAGER.few_tries)
    with pytest.raises(DownloadRefused, match=r"damaged.*2 times in a row"):
        download(green, MONTH, settings)


@pytest.mark.parametrize(("month", "words"), [("2026-01", "403.*asks too often"), ("2009-01", "has not published")])
def test_a_month_that_there_is_not_is_not_published(month: str, words: str, green: Dataset, settings: Settings) -> None:
    with pytest.raises(NotPublished, match=words):
        download(green, Partition.parse(month), settings)


def test_a_missing_csv_file_is_not_published_at_once(green: Dataset, settings: Settings) -> None:
    source = green.sources[0].model_copy(update={"last": dt.date(2022, 1, 1)})
    longer = green.model_copy(update={"sources": (source,)})
    with pytest.raises(NotPublished, match="HTTP 404"):
        download(longer, Partition.parse("2021-08"), settings, policy=RetryPolicy(first_wait=1e9, total_wait=0))


def test_a_publisher_that_stays_away_is_unavailable(green: Dataset, settings: Settings, publishers: Publishers) -> None:
    publishers.arm("503", times=EAGER.tries)
    with pytest.raises(PublisherUnavailable, match="gave up after 4 tries: HTTP 503"):
        download(green, MONTH, settings)
    assert publishers.armed() == []


def test_no_one_waits_longer_than_the_policy_says(green: Dataset, settings: Settings, publishers: Publishers) -> None:
    publishers.arm("429", retry_after=3600)
    with pytest.raises(PublisherUnavailable, match="next try would be in 3600 s"):
        download(green, MONTH, settings)


def test_a_silent_publisher_leaves_the_file_that_is_here(
    green: Dataset, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    download(green, MONTH, settings)
    away = settings.model_copy(update={"publishers": "http://127.0.0.1:1"})
    with pytest.raises(PublisherUnavailable, match="gave up"):
        download(green, MONTH, away)  # another address: the receipt says nothing of its file
    receipt = Workspace.of(green, MONTH, settings).receipt("download")
    text = receipt.read_text().replace(settings.publishers, away.publishers)
    receipt.write_text(text)
    assert download(green, MONTH, away).reused
    assert "the file downloaded before is used" in caplog.text


def test_without_validators_the_bytes_are_compared(green: Dataset, settings: Settings, publishers: Publishers) -> None:
    first = download(green, MONTH, settings)
    place = Workspace.of(green, MONTH, settings).receipt("download")
    blind = first.reads[0].model_copy(update={"etag": None, "last_modified": None})
    first.model_copy(update={"reads": (blind,)}).save(place)
    again = download(green, MONTH, settings)
    assert again.reused
    kept = Receipt.load(place)
    assert kept
    assert kept.reads[0].etag == first.reads[0].etag


def test_a_file_name_stays_in_its_folder(green: Dataset, settings: Settings) -> None:
    source = green.sources[0].model_copy(update={"mirror": "taxi/..%2Fgreen"})
    with pytest.raises(InvalidDataset, match="plain file name"):
        download(green.model_copy(update={"sources": (source,)}), MONTH, settings)


def test_a_gzip_file_of_many_members_is_whole(tmp_path: Path) -> None:
    members = gzip.compress(b"a,b\n") + gzip.compress(hashlib.sha256(b"").digest() * 100)
    file = tmp_path / "f.csv.gz"
    file.write_bytes(members)
    inspect(file, SourceFormat.CSV_GZ)
    for cut in (members[:-1], members[:-9], members[: len(members) // 2]):
        file.write_bytes(cut)
        with pytest.raises(Damaged):
            inspect(file, SourceFormat.CSV_GZ)
