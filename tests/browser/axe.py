"""What axe finds on a page."""

from pathlib import Path

from playwright.sync_api import Page

from tests.rings import SOURCE

AXE = SOURCE / "static" / "vendor" / "axe" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """Return what axe finds, each as rule and place."""
    assert AXE.exists(), "axe is not installed: `python -m deploy.assets` fetches it"
    page.evaluate(Path(AXE).read_text(encoding="utf-8"))
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
    )
    return [
        f"{each['id']}: {node['target']}" for each in found["violations"] for node in each["nodes"]
    ]
