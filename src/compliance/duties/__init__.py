"""Duties and measures: rules compiled to set-based SQL, and the answers of one run."""
