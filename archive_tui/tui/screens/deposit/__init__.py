"""The guide that deposits files in a datasafe: LOI, metadata, plan, progress, receipt."""
