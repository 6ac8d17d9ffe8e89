"""python -m publisher_client: the same as `publisher`."""

from publisher_client.cli import main

if __name__ == "__main__":
    main()
