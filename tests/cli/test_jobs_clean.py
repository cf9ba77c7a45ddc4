"""`archive-tui jobs clean`: what nobody continues goes, what somebody may continue stays, what is not ours is named."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.storages import open_storage
from archive_tui.jobs import cleaning
from archive_tui.jobs.places import storage_place
from archive_tui.jobs.queue import open_job_queue
from archive_tui.jobs.queue.uploads import keep_token
from archive_tui.jobs.states import JobState
from archive_tui.settings import load_settings
from tests.cli.conftest import Run
from tests.cli.job_processes import run_program
from tests.servers.s3_server import S3Server


@pytest.fixture
def bucket(workplace: Path, moto_server: S3Server) -> Iterator[Any]:
    """A bucket that the settings call `lab`, as its SDK sees it, and its name."""
    name = moto_server.new_bucket()
    keys = {"storage_client": "archive_tui.core.AwsStorageClient", "bucket": name, "local_path": "work"}
    lines = "".join(f"{key} = {value}\n" for key, value in {**keys, **moto_server.settings()}.items())
    (workplace / "settings.ini").write_text(f"[lab]\n{lines}")
    settings = load_settings()
    with open_storage(settings, "lab").store as store:
        yield store.sdk_client, name  # type: ignore[attr-defined]


def begin_upload(bucket: Any, key: str) -> str:
    """Begins an upload of one part on the server, and returns its token."""
    client, name = bucket
    upload_id: str = client.create_multipart_upload(Bucket=name, Key=key)["UploadId"]
    client.upload_part(Bucket=name, Key=key, UploadId=upload_id, PartNumber=1, Body=b"x" * 1000)
    return upload_id


def unfinished(bucket: Any) -> list[str]:
    client, name = bucket
    return [upload["Key"] for upload in client.list_multipart_uploads(Bucket=name).get("Uploads", [])]


def remember(job_id: int, key: str, upload_id: str, state: JobState, *, ended_days_ago: float = 0.0) -> None:
    """Writes down that a job has begun the upload, and that it is in that state."""
    settings = load_settings()
    storage = open_storage(settings, "lab")
    token = json.dumps({"upload": upload_id})
    for upload in storage.store.list_unfinished():
        if upload.key == key:
            token = upload.token
    with closing(open_job_queue()) as queue:
        assert queue.disk is not None
        place = dict(storage_place(storage, settings))
        ended = time.time() - ended_days_ago * cleaning.DAY if state.is_end else None

        def write(connection: Any) -> None:
            keep_token(connection, job_id, storage.store.identity, key, token, place)
            connection.execute("UPDATE job SET state = ?, ended_at = ? WHERE id = ?", (state.value, ended, job_id))

        assert queue.disk.transact(write, durable=True) is not None
    storage.store.close()


@pytest.fixture
def job(run: Run, workplace: Path, bucket: Any) -> int:
    """The number of a job that is there."""
    assert run("dataset", "publish", "lab", "winds").status == 0
    return 1


@pytest.mark.parametrize(
    ("state", "goes"),
    [
        (JobState.CANCELLED, True),
        (JobState.VERIFIED, True),
        (JobState.FAILED, False),
        (JobState.FINDINGS, False),
        (JobState.PAUSED, False),
        (JobState.QUEUED, False),
        (JobState.WAITING, False),
        (JobState.UNDECIDED, False),
    ],
)
def test_what_somebody_may_continue_stays(run: Run, bucket: Any, job: int, state: JobState, goes: bool) -> None:
    remember(job, "big.zip", begin_upload(bucket, "big.zip"), state)
    dry = run("jobs", "clean", "--dry-run")
    assert (dry.status, unfinished(bucket)) == (0, ["big.zip"])
    assert ("would be removed: 1 unfinished upload of publish winds 0.0.1" in dry.out) is goes
    call = run("jobs", "clean", "--json")
    assert call.status == 0
    assert [entry["outcome"] for entry in call.document["entries"]] == ["removed" if goes else "kept"]
    assert unfinished(bucket) == ([] if goes else ["big.zip"])
    if goes:
        assert "Nothing was left behind" in run("jobs", "clean").err


@pytest.mark.parametrize(("days", "goes"), [(1, True), (30, False)])
def test_what_a_failed_job_left_goes_when_it_is_old(run: Run, bucket: Any, job: int, days: int, goes: bool) -> None:
    remember(job, "big.zip", begin_upload(bucket, "big.zip"), JobState.FAILED, ended_days_ago=7)
    assert run("jobs", "clean", "--older-than", str(days)).status == 0
    assert unfinished(bucket) == ([] if goes else ["big.zip"])


def test_the_age_of_a_paused_job_does_not_count(run: Run, bucket: Any, job: int) -> None:
    remember(job, "big.zip", begin_upload(bucket, "big.zip"), JobState.PAUSED)
    assert run("jobs", "clean", "--older-than", "0").status == 0
    assert unfinished(bucket) == ["big.zip"]


def test_uploads_of_others_are_named_and_left(run: Run, bucket: Any, job: int) -> None:
    remember(job, "mine.zip", begin_upload(bucket, "mine.zip"), JobState.PAUSED)
    begin_upload(bucket, "theirs.zip")
    call = run("jobs", "clean", "--storage", "lab")
    assert call.status == 0
    assert "unknown: unfinished upload lab:theirs.zip" in call.out
    assert "no job here knows it" in call.out
    assert "mine.zip" not in call.out.partition("unknown")[2]
    assert sorted(unfinished(bucket)) == ["mine.zip", "theirs.zip"]
    # This server says of every upload that it was begun in 2010.
    assert run("jobs", "clean", "--storage", "lab", "--older-than", "36500").status == 0
    assert sorted(unfinished(bucket)) == ["mine.zip", "theirs.zip"], "it is not old enough"
    dry = run("jobs", "clean", "--storage", "lab", "--older-than", "0", "--dry-run")
    assert "would be removed: unfinished upload lab:theirs.zip" in dry.out
    assert run("jobs", "clean", "--storage", "lab", "--older-than", "0").status == 0
    assert unfinished(bucket) == ["mine.zip"]


def test_a_storage_that_cannot_be_reached_is_said_and_nothing_is_forgotten(
    run: Run, bucket: Any, job: int, workplace: Path
) -> None:
    remember(job, "big.zip", begin_upload(bucket, "big.zip"), JobState.CANCELLED)
    settings = (workplace / "settings.ini").read_text()
    (workplace / "settings.ini").write_text("")
    call = run("jobs", "clean")
    assert call.status == 1
    assert "Why not: archive-tui jobs logs 1" in call.err
    assert "big.zip" in run("jobs", "logs", "1").out
    (workplace / "settings.ini").write_text(settings)
    assert run("jobs", "clean").status == 0
    assert unfinished(bucket) == []


def test_a_storage_without_uploads_in_parts_has_none(workplace: Path) -> None:
    done = run_program(workplace, "jobs", "clean", "--storage", "lab", "--json")
    assert (done.status, done.document) == (0, {"dry_run": False, "entries": [], "status": 0})
    assert run_program(workplace, "jobs", "clean", "--storage", "nowhere").status == 2


def test_items_of_old_jobs_are_forgotten_when_asked(run: Run, workplace: Path) -> None:
    (workplace / "set").mkdir()
    (workplace / "set" / "a.txt").write_text("alpha")
    assert run("dataset", "publish", "local", "set", "--source", "set").status == 0
    assert run("jobs", "clean", "--forget-items", "1").status == 0
    assert "a.txt" in run("jobs", "receipt", "1").out
    time.sleep(0.01)
    assert "1 item of receipts" in run("jobs", "clean", "--forget-items", "0").out
    receipt = run("jobs", "receipt", "1").out
    assert "a.txt" not in receipt and "not kept" in receipt
