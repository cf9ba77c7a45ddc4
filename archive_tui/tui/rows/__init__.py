"""What panes list: rows of any location in one form, and the listing that brings them."""
