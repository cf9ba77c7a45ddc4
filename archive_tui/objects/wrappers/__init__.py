"""Stores around a store, each adding one thing: recording, throttling, a dry run, faults."""
