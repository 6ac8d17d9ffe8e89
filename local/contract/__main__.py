"""python -m local.contract: write the contract that GET /openapi.json answers."""

import json

from local.contract.generate import ROOT, generate

FILE = ROOT / "functions/dashboard/static/openapi.json"


def text() -> str:
    """Return the contract as it is committed."""
    return json.dumps(generate(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
