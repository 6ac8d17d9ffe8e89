"""python -m local.sign_in: make a link that signs a browser in to the dashboard, once and within ten minutes."""

import argparse
import sys

from local.processes import LocalError
from local.service import add_service_arguments, call_service, chosen_service


def main() -> int:
    """Print the link on stdout; 2 with one sentence when there is none."""
    parser = argparse.ArgumentParser(prog="make signin", description=__doc__)
    add_service_arguments(parser)
    try:
        link = sign_in_link(*chosen_service(parser.parse_args()))
    except LocalError as error:
        print(error, file=sys.stderr)
        return 2
    print(link)
    return 0


def sign_in_link(url: str, key: str) -> str:
    """Return a one-time link to the dashboard of an API, for whoever has this admin key."""
    return str(call_service(url, key, "POST", "/v2/session/links")["signInUrl"])


if __name__ == "__main__":
    sys.exit(main())
