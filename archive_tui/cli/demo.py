"""`archive-tui demo`: everything on sample data, in a folder of its own, without settings or network."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.invocation import Invocation, common_options, current_invocation
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.running import run_operation
from archive_tui.errors import HashError, OperationStopped
from archive_tui.names.quantities import format_count, format_duration, format_size

if TYPE_CHECKING:
    from archive_tui.archives.datasets.fetching import FetchReceipt
    from archive_tui.archives.datasets.publishing import PublishReceipt
    from archive_tui.archives.demo_data import Playground
    from archive_tui.integrity.report import IntegrityReport
    from archive_tui.objects.object_store import ObjectStore


@click.command()
@click.option("--headless", is_flag=True, help="No panes: publish, verify, change, publish, fetch, verify; print it.")
@click.option("--folder", metavar="DIR", help="Use DIR and keep it.  [default: a temporary folder, removed at the end]")
@common_options
def demo(headless: bool, folder: str | None) -> int:
    """Prepare a small playground with sample data and open it in the panes.

    Nothing outside of the playground is read or written.
    """
    from archive_tui.archives.demo_data import STORAGE, prepare_playground

    invocation = current_invocation()
    with _playground_folder(folder) as root:
        playground = prepare_playground(root)
        invocation.quiet = True  # the steps are printed as they end, and none takes long
        tour = _Tour(invocation, playground)
        if headless:
            tour.run()
            if folder is not None and not invocation.as_json:
                write_line(f"The playground stays in {show_name(str(playground.root))}")
            return 0
        tour.publish_first_version()
        invocation.settings_path = playground.settings_path
        settings = invocation.load_settings()
        invocation.open_panes(str(playground.data), STORAGE, settings)
    if folder is None:
        write_line("The playground has been removed; --folder DIR makes one that stays.")
    return 0


@contextlib.contextmanager
def _playground_folder(folder: str | None) -> Iterator[Path]:
    if folder is not None:
        yield Path(folder)
        return
    root = Path(tempfile.mkdtemp(prefix="archive-tui-demo-"))
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


class _Tour:
    """Publish → verify → change → publish → fetch → verify, each step printed as it ends."""

    def __init__(self, invocation: Invocation, playground: Playground) -> None:
        from archive_tui.archives.demo_data import STORAGE
        from archive_tui.archives.storages import open_storage
        from archive_tui.settings import load_settings

        self.invocation = invocation
        self.playground = playground
        self.store: ObjectStore = open_storage(load_settings(playground.settings_path), STORAGE).store
        self.steps: list[dict[str, Any]] = []

    def run(self) -> None:
        """Raises: what a step raises; HashError when a verification finds anything."""
        from archive_tui.archives.demo_data import change_playground

        self._tell("prepare", f"sample data in {show_name(str(self.playground.source))}")
        self._publish()
        self._verify_stored()
        self._tell("change", change_playground(self.playground))
        self._publish()
        self._compare()
        self._fetch()
        self._verify_folder()
        if self.invocation.as_json:
            write_json({"steps": self.steps, "status": 0})
        else:
            write_line("All of it worked. Now in the panes: archive-tui demo")

    def publish_first_version(self) -> None:
        """Leaves a version in the archive and a changed source, so that the panes have something to show and to do."""
        from archive_tui.archives.demo_data import change_playground

        self._publish(tell=False)
        change_playground(self.playground)

    def _tell(self, step: str, text: str, **figures: Any) -> None:
        self.steps.append({"step": step, "text": text, **figures})
        if not self.invocation.as_json:
            write_line(f"{len(self.steps)}. {step:<8} {text}")

    def _publish(self, *, tell: bool = True) -> None:
        from archive_tui.archives.datasets.publishing import DatasetDetails, PublishRequest, plan_publish, publish
        from archive_tui.archives.demo_data import DATASET

        details = DatasetDetails(title="Weather station 07", license="CC0-1.0", keywords=("sample",))
        request = PublishRequest(name=DATASET, source=self.playground.source, details=details)

        def work(report: Any, stop: Any) -> PublishReceipt:
            return publish(
                self.store, plan_publish(self.store, request, report=report, stop=stop), report=report, stop=stop
            )

        receipt = run_operation(self.invocation, work)
        if not tell:
            return
        amount = f"{format_count(receipt.files, 'file')}, {format_size(receipt.source_bytes)}"
        self._tell(
            "publish",
            f"{receipt.name} {receipt.version}: {amount} in {format_duration(receipt.seconds)}, "
            f"archive {format_size(receipt.archive_size)}",
            version=receipt.version,
            key=receipt.key,
        )

    def _verify_stored(self) -> None:
        from archive_tui.archives.datasets.verifying import verify_version
        from archive_tui.archives.demo_data import DATASET

        report, _ = run_operation(
            self.invocation, lambda report, stop: verify_version(self.store, DATASET, report=report, stop=stop)
        )
        self._judge(report)

    def _compare(self) -> None:
        from archive_tui.archives.datasets.catalog import compare_versions
        from archive_tui.archives.demo_data import DATASET

        difference = compare_versions(self.store, DATASET, "0.0.1", "0.0.2")
        self._tell(
            "diff",
            f"0.0.1 → 0.0.2: {len(difference.added)} added, {len(difference.changed)} changed, "
            f"{len(difference.removed)} removed, {len(difference.same)} the same",
        )

    def _fetch(self) -> None:
        from archive_tui.archives.datasets.fetching import fetch_dataset
        from archive_tui.archives.demo_data import DATASET

        def work(report: Any, stop: Any) -> FetchReceipt:
            return fetch_dataset(self.store, DATASET, into=self.playground.fetched, report=report, stop=stop)

        receipt = run_operation(self.invocation, work)
        amount = f"{format_count(receipt.files, 'file')}, {format_size(receipt.bytes)}"
        self._tell("fetch", f"{receipt.name} {receipt.version}: {amount} in {show_name(str(receipt.folder))}")
        self.fetched = receipt.folder

    def _verify_folder(self) -> None:
        from archive_tui.operations.verifying import verify_folder

        self._judge(
            run_operation(self.invocation, lambda report, stop: verify_folder(self.fetched, report=report, stop=stop))
        )

    def _judge(self, report: IntegrityReport) -> None:
        self._tell("verify", report.sentence, verdict=str(report.verdict))
        if not report.complete:
            raise OperationStopped
        if report.findings:
            raise HashError(f"The demo found damage: {report.sentence}", report=report)
