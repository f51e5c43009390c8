"""The rules: models, loading with positions, conditions, definitions, parameters."""
