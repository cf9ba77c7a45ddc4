"""Archives files below a path, under their own names, where nothing else lies under that name already."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archive_tui.archives.vault.archive_target import ArchiveTarget
from archive_tui.archives.vault.evidence_book import EvidenceBook
from archive_tui.archives.vault.line_results import already_there, failed, from_look, is_fatal, other_content
from archive_tui.archives.vault.looking import Look, look_at_key
from archive_tui.archives.vault.object_marks import ObjectMarks
from archive_tui.archives.vault.outcomes import LineResult, Outcome
from archive_tui.archives.vault.uploading import Uploader
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import ArchiveError, InvalidName, ObjectExists
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.names.content_address import digest_of_key
from archive_tui.names.display import escape_for_display
from archive_tui.progress import StopSignal


class PathArchiving:
    """Lines of one name are done one after the other. `look_in_vault` None: the vault is not asked, everything is
    uploaded that does not lie under its name yet."""

    def __init__(
        self,
        vault: Vault,
        vault_book: EvidenceBook,
        look_in_vault: Callable[[str], Look] | None,
        target: ArchiveTarget,
        target_book: EvidenceBook,
        vault_marks: ObjectMarks,
        target_marks: ObjectMarks,
        uploader: Uploader,
        stop: StopSignal,
    ) -> None:
        self._vault = vault
        self._vault_book = vault_book
        self._look_in_vault = look_in_vault
        self._target = target
        self._target_book = target_book
        self._vault_marks = vault_marks
        self._target_marks = target_marks
        self._uploader = uploader
        self._stop = stop

    def group_of(self, line: ManifestLine) -> str:
        return self._key_or_none(line) or f"\0{line.name}"

    def begin_window(self, lines: Sequence[ManifestLine]) -> None:
        self._target_marks.turn_to(lines)
        keys = {key for line in lines if (key := self._key_or_none(line)) is not None}
        self._target_book.turn_to(keys, self._target_marks.evidence)
        if self._look_in_vault is not None:
            self._vault_marks.turn_to(lines)
            self._vault_book.turn_to({self._vault.key(line.digest) for line in lines}, self._vault_marks.evidence)

    def end_window(self) -> None:
        self._vault_book.write()
        self._target_book.write()

    def work(self, lines: Sequence[ManifestLine]) -> Sequence[LineResult]:
        results = [self._archive(line) for line in lines]
        self._target_marks.record(results)
        return results

    def _key_or_none(self, line: ManifestLine) -> str | None:
        try:
            return self._key(line)
        except InvalidName:
            return None

    def _key(self, line: ManifestLine) -> str:
        """A file under its name must not lie where the vault looks for a content."""
        key = self._target.key(line.name)
        place, vault = f"{self._target.store.identity}/{key}", f"{self._vault.store.identity}/"
        if place.startswith(vault) and digest_of_key(place[len(vault) :], self._vault.prefix) is not None:
            raise InvalidName(
                f"Name refused, it is the place of a content in the vault: {escape_for_display(key)}",
                name=line.name,
                hint="Archive below another prefix.",
            )
        return key

    def _archive(self, line: ManifestLine) -> LineResult:
        try:
            key = self._key(line)
            if self._look_in_vault is not None:
                held = self._look_in_vault(line.digest)
                if held.outcome is Outcome.HELD:
                    return already_there(line, held)
                if held.outcome is Outcome.DAMAGED:
                    return from_look(line, held, self._vault.title)
        except ArchiveError as error:
            if is_fatal(error, self._vault.store):
                raise
            return failed(line, error)
        try:
            return self._upload(line, key)
        except ArchiveError as error:
            if is_fatal(error, self._target.store):
                raise
            return failed(line, error, key)

    def _upload(self, line: ManifestLine, key: str) -> LineResult:
        look = self._look(line, key)
        if look.outcome is Outcome.ABSENT:
            try:
                result = self._uploader.upload(line, key)
            except ObjectExists:
                look = self._look(line, key)  # somebody else was faster; whose bytes are they?
                if look.outcome is Outcome.ABSENT:
                    raise
            else:
                self._target_book.note(result.evidence)
                return result
        if look.outcome is Outcome.DAMAGED:
            return other_content(line, look, self._target.title)
        return already_there(line, look)._replace(earlier=self._target_marks.find_earlier(line, Outcome.UPLOADED))

    def _look(self, line: ManifestLine, key: str) -> Look:
        store = self._target.store
        look = look_at_key(store, key, line.digest, known=self._target_book.known(key), stop=self._stop)
        if look.evidence is not None and look.evidence.level is EvidenceLevel.LISTED:
            look = look_at_key(store, key, line.digest, read=True, stop=self._stop)
        if look.outcome is Outcome.HELD:
            self._target_book.note(look.evidence)
        return look
