"""Write every page that is made from the code: `make docs`."""

from __future__ import annotations

from reference.pages import ROOT, pages

for path, text in pages().items():
    (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
    (ROOT / path).write_text(text)
