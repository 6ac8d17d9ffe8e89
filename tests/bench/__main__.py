"""All benches in one run: ours beside a baseline. `python -m tests.bench`; exit code 1 when a promise is not kept."""

import sys

from tests.bench import (
    bench_dashboard,
    bench_history,
    bench_imports,
    bench_ingest,
    bench_look,
    bench_pictures,
    bench_transitions,
    bench_upload,
)
from tests.bench.report import table


def main() -> int:
    """Print the table."""
    benches = (
        bench_ingest,
        bench_look,
        bench_upload,
        bench_pictures,
        bench_imports,
        bench_transitions,
        bench_history,
        bench_dashboard,
    )
    rows = [row for bench in benches for row in bench.run()]
    sys.stdout.write(table(rows) + "\n")
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
