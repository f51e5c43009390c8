"""The register of risks and everything drawn from it."""
