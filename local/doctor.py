"""python -m local.doctor: look whether the stack that runs here, or one in AWS, is set up."""

import argparse
import sys

from local.processes import LocalError
from local.service import add_service_arguments, call_service, chosen_service


def main() -> int:
    """Print the findings; 0 when nothing failed, 1 when something did, 2 with one sentence when nobody answers."""
    parser = argparse.ArgumentParser(prog="make doctor", description=__doc__)
    add_service_arguments(parser)
    try:
        url, key = chosen_service(parser.parse_args())
        checkup = call_service(url, key, "GET", "/v2/doctor")
    except LocalError as error:
        print(error, file=sys.stderr)
        return 2
    for finding in checkup["findings"]:
        print(f"{finding['status']:<8} {finding['check']}: {finding['finding']}")
        if finding["advice"]:
            print(f"         → {finding['advice']}")
    return 0 if checkup["healthy"] else 1


if __name__ == "__main__":
    sys.exit(main())
