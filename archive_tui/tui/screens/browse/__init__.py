"""The browse screen: two panes, with the panels and short questions that belong to it."""
