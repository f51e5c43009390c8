"""Readers, one a format: each stages text tables for `compliance.dataset.ingest`."""
