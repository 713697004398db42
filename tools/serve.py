"""Serves an index of your pictures: a page to search with, and a JSON API.

Drop a photograph into the page and see what is like it. It can be reached from
this machine alone, unless --host tells otherwise; Ctrl-C ends it. It needs the
extra: pip install 'hashnet_tf[serve]'

  hashnet serve photos.index
"""

import argparse

from hashnet_tf.serving import serve
from hashnet_tf.serving.server import LOCAL


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags."""
    parser.add_argument("index", help="file of the index, photos.index")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="name or address to be bound to; 0.0.0.0: whoever reaches this"
        " machine may search and see the pictures",
    )
    parser.add_argument(
        "--name",
        help="other names by which it is reached, as behind a proxy, such as"
        " search.example.org; requests to a name that is not told are refused",
    )
    parser.add_argument(
        "--port", type=int, default=8000, help="port; 0: any that is free"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serves until Ctrl-C; returns the exit code."""

    def ready(address: str) -> None:
        print(f"{arguments.index} is served at {address}", flush=True)
        if arguments.host not in LOCAL:
            print("Whoever reaches this machine can see it", flush=True)

    try:
        names = tuple(filter(None, (arguments.name or "").split(",")))
        serve(arguments.index, arguments.host, arguments.port, ready, names)
    except ImportError as error:
        # Told in one line, as other input that is wrong.
        raise ValueError(str(error)) from error
    return 0


if __name__ == "__main__":
    from hashnet_tf.tools.main import main_of

    main_of("serve")
