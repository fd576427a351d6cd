"""Ask for an API's answers page by page, each put on disk before the next is asked for."""

import itertools
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tarn import durable
from tarn.api.answers import Answer, as_text, at_path, parse
from tarn.api.client import ApiClient
from tarn.api.progress_note import Page, ProgressNote
from tarn.api.records import Record, records_in
from tarn.api.window import newest
from tarn.downloads.job import Job
from tarn.errors import DownloadRefused, FileRefused
from tarn.fetch import Unchanged
from tarn.placeholders import Value
from tarn.receipt import Artifact
from tarn.source import ApiSource

log = logging.getLogger(__name__)


class _Moved(Exception):
    """Records have moved from one page to another while they were fetched."""


@dataclass(frozen=True)
class _Request:
    """The pages of one value of ``each``."""

    values: dict[str, str]
    placeholders: Mapping[str, Value]


@dataclass(frozen=True)
class _Found:
    page: Page
    data: Any
    records: list[Record]


class Pager:
    """Fetches a partition's pages into a folder; ``known`` are the requests of the version that is here, by URL."""

    def __init__(self, job: Job[ApiSource], client: ApiClient, folder: Path, known: Mapping[str, Artifact]) -> None:
        self._job = job
        self._client = client
        self._folder = folder
        self._known = known

    def fetch(self, placeholders: Mapping[str, Value], note: ProgressNote) -> ProgressNote:
        """Every page of every request; those of ``note`` are not asked for again.

        Raises DownloadRefused where the records are no records, move from page to page, or are more than the API gives;
        what ApiClient raises.
        """
        for values in self._each():
            request = _Request(values, dict(placeholders) | values)
            note = self._fetch_steadily(request, note)
        return note

    def _each(self) -> Iterator[dict[str, str]]:
        names = list(self._job.source.each)
        for chosen in itertools.product(*self._job.source.each.values()):
            yield dict(zip(names, chosen, strict=True))

    def _fetch_steadily(self, request: _Request, note: ProgressNote) -> ProgressNote:
        begin = [page for page in note.pages if page.request.values != request.values]
        known = [page for page in note.pages if page.request.values == request.values]
        if known and note.pages[-1].request.values != request.values:
            return note  # a later request was under way, so this one was whole
        policy = self._job.manner.policy
        for tries in itertools.count(1):
            try:
                return self._fetch_pages(request, note)
            except _Moved as reason:
                if tries >= policy.few_tries:
                    raise DownloadRefused(
                        f"{self._job}: {reason}, {tries} times in a row: the publisher's records change while they are"
                        " read. Ask for a stable order in the dataset's params, or try again later."
                    ) from None
                log.warning("%s: %s; all pages are asked for again", self._job, reason)
                note = note.model_copy(update={"pages": tuple(begin)})
                self._job.manner.clock.sleep(policy.wait(tries))
        raise AssertionError

    def _fetch_pages(self, request: _Request, note: ProgressNote) -> ProgressNote:
        done = [page for page in note.pages if page.request.values == request.values]
        last = self._read(done[-1], request) if done else None
        number = len(done)
        rows = sum(page.records for page in done)
        while last is None or not self._is_last(last, rows):
            found = self._fetch_page(request, number, len(note.pages) + 1)
            self._require_order(last, found)
            note = ProgressNote(fingerprint=note.fingerprint, pages=(*note.pages, found.page))
            note.save(self._folder)
            rows += found.page.records
            number += 1
            last = found
            self._job.manner.progress(sum(page.records for page in note.pages), None, "rows")
        self._require_all(last, rows)
        return note

    def _fetch_page(self, request: _Request, number: int, place: int) -> _Found:
        source = self._job.source
        pages = source.pages
        if pages and not pages.reaches(number):
            raise DownloadRefused(
                f"{self._job}: {self._job.dataset.publisher} gives no more than {number * pages.per_page:,} records of"
                " one request, and there are more. Ask for them in parts, or from another source."
            )
        address = source.address(request.placeholders, self._job.settings.publishers_url)
        params = source.parameters(request.placeholders) | (pages.place(number) if pages else {})
        url = self._client.url(address, params)
        answer = self._ask(url)
        records = self._records(answer.data, url, request)
        if pages and len(records) > pages.per_page:
            raise DownloadRefused(
                f"{self._job}, {url}: {len(records):,} records came where {pages.per_page:,} were asked for: is"
                f" {pages.size!r} the right parameter?"
            )
        path = self._folder / f"page-{place:05}.jsonl"
        with durable.replacing(path) as temporary:
            temporary.write_bytes(answer.line + b"\n")
        file = Artifact.of(path).model_copy(update={"values": request.values})
        told = {"uri": url, "etag": answer.etag, "last_modified": answer.last_modified}
        mark = newest(None, source.mark.field, records) if source.mark else None
        page = Page(request=file.model_copy(update=told), file=file, records=len(records), mark=mark)
        return _Found(page, answer.data, records)

    def _ask(self, url: str) -> Answer:
        known = self._known.get(url)
        try:
            return self._client.get(url, known.etag if known else None)
        except Unchanged:
            if known is None:
                raise
            line = Path(known.uri).read_bytes().strip()
            return Answer(url, line, parse(line), known.etag, known.last_modified)

    def _read(self, page: Page, request: _Request) -> _Found:
        data = parse(Path(page.file.uri).read_bytes())
        return _Found(page, data, self._records(data, page.request.uri, request))

    def _records(self, data: Any, url: str, request: _Request) -> list[Record]:
        try:
            return records_in(data, self._job.source, self._job.partition, request.values)
        except FileRefused as refusal:
            raise DownloadRefused(f"{self._job}, {url}: {refusal}.") from None

    def _is_last(self, found: _Found, rows: int) -> bool:
        pages = self._job.source.pages
        total = self._total(found)
        return pages is None or len(found.records) < pages.per_page or rows == total

    def _require_order(self, last: _Found | None, found: _Found) -> None:
        pages = self._job.source.pages
        if pages is None or pages.id is None:
            return
        before = [as_text(at_path(record, pages.id)) for record in last.records] if last else []
        now = [as_text(at_path(record, pages.id)) for record in found.records]
        twice = next((one for at, one in enumerate(now) if one in before or one in now[:at]), None)
        if twice is not None:
            raise _Moved(f"the record {pages.id} {twice} came twice, on page {found.page.file.uri}")

    def _require_all(self, last: _Found, rows: int) -> None:
        total = self._total(last)
        if total is not None and total != rows:
            raise _Moved(f"{rows:,} records came where the publisher tells of {total:,}")

    def _total(self, found: _Found) -> int | None:
        pages = self._job.source.pages
        text = as_text(at_path(found.data, pages.total)) if pages and pages.total else None
        return int(text) if text and text.isdecimal() else None
