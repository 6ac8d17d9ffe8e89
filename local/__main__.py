"""python -m local: the whole service on this machine, until Ctrl-C or SIGTERM."""

import argparse
import json
import sys

from local.options import Options, add_arguments, add_world_arguments
from local.processes import LocalError, ended_by_signals
from local.stack import running_stack


def main() -> int:
    """Print one line of JSON when ready, everything else on stderr; 0 when asked to end, 2 with one sentence else."""
    parser = argparse.ArgumentParser(prog="make local", description=__doc__)
    add_arguments(parser)
    add_world_arguments(parser)
    given = parser.parse_args()
    options = Options(
        given.port, given.tiktok_url, tuple(given.trust_media_origin), tuple(given.ownership_token), given.state
    )
    try:
        with ended_by_signals(), running_stack(options) as stack:
            print(json.dumps(stack.ready_line(), separators=(",", ":")), flush=True)
            stack.wait()
    except LocalError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
