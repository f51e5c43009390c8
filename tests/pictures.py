"""The pictures of the page and the board paper in docs/images: `make picture`. Needs Chromium and pdftoppm."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
FIXTURE = "fixtures/herefordshire-2021-09-30"
IMAGES = ROOT / "docs" / "images"
SHOTS = {"desktop": (1280, 1600, "light"), "dark": (1280, 1600, "dark"), "phone": (390, 1600, "light")}
PIXELS_AN_INCH = "70"


def main() -> None:
    """Writes the pictures afresh."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        outputs = ["--output", f"html={folder / 'page.html'}", "--output", f"pdf={folder / 'paper.pdf'}"]
        subprocess.run([sys.executable, "-m", "compliance", "report", FIXTURE, "--months", "12", *outputs], cwd=ROOT, check=True)
        _page(folder)
        _pages(folder / "print.pdf", "page-print", last=1)
        _pages(folder / "paper.pdf", "paper", last=6)


def _page(folder: Path) -> None:
    """The page in its sizes and colours, and as it prints."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, (width, height, scheme) in SHOTS.items():
            _shot(browser, folder, name, width, height, scheme)
        tab = browser.new_page()
        tab.goto((folder / "page.html").as_uri())
        tab.pdf(path=folder / "print.pdf", format="A4", print_background=True)
        browser.close()


def _shot(browser: Any, folder: Path, name: str, width: int, height: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    tab = context.new_page()
    tab.goto((folder / "page.html").as_uri())
    tab.screenshot(path=IMAGES / f"page-{name}.png")
    tab.locator("#trend").screenshot(path=IMAGES / f"page-{name}-trend.png")
    context.close()


def _pages(pdf: Path, name: str, last: int) -> None:
    """The first pages of a PDF, as name-1.png and so on; a single one as name.png."""
    for old in IMAGES.glob(f"{name}-[0-9].png"):
        old.unlink()
    alone = ["-singlefile"] if last == 1 else []
    command = ["pdftoppm", "-r", PIXELS_AN_INCH, "-png", "-l", str(last), *alone, str(pdf), str(IMAGES / name)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
