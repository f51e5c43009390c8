"""A compliance and risk rules engine for English local-authority children's social care."""

__version__ = "0.1.0"
