"""Writers of what a run found; they observe, they do not compute."""
