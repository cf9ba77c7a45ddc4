"""Pruning a vault: what no manifest refers to is marked, and deleted when it has stayed so for a grace time."""

from archive_tui.archives.vault.pruning.batch import PHASE
from archive_tui.archives.vault.pruning.plan import PrunePlan, plan_prune
from archive_tui.archives.vault.pruning.pruning import LEAST_GRACE, prune_vault
from archive_tui.archives.vault.pruning.receipt import PruneReceipt
from archive_tui.archives.vault.pruning.references import ManifestReferences

__all__ = ["LEAST_GRACE", "PHASE", "ManifestReferences", "PrunePlan", "PruneReceipt", "plan_prune", "prune_vault"]
