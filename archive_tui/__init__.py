"""archive-tui keeps research data safe: publish, browse, verify and fetch versioned datasets.

`import archive_tui` costs nothing; the dataset functions live in `archive_tui.core`.
"""

__version__ = "0.1.0"
