"""Risks: what breaches and measures mean together, reasoned over flat facts by two evaluators that must agree."""
