"""The canonical tables: their schema, typed loading with rejects and lineage, as-of views and quality."""
