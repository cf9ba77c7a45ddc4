"""Figures, states, progress, findings and receipts as lines of styled text. Pure: no widget, no Textual."""
