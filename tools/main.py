"""The `hashnet` command: one word, then what it needs."""

import argparse
import os
import sys

from absl import app, logging
from absl.flags import argparse_flags

import hashnet_tf as hn
from hashnet_tf.tools import (
    datasets,
    demo,
    encode,
    evaluate,
    export,
    reproduce,
    search,
    train,
)

COMMANDS = {
    "demo": demo,
    "datasets": datasets,
    "train": train,
    "evaluate": evaluate,
    "encode": encode,
    "search": search,
    "export": export,
    "reproduce": reproduce,
}


class _Parser(argparse_flags.ArgumentParser):
    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message} (see --help)\n")


class _HelpFormatter(
    argparse.ArgumentDefaultsHelpFormatter,
    argparse.RawDescriptionHelpFormatter,
):
    """Keeps the paragraphs of a description and tells each default."""

    def _get_help_string(self, action):
        # What None means, and that a flag is required, is told already.
        if action.default is None:
            return action.help
        return super()._get_help_string(action)


def parse(argv):
    """Returns the arguments of a command line; bad usage exits with 2."""
    parser = _Parser(
        prog="hashnet",
        description="Learns binary hash codes, measures and ships them.",
        epilog="Begin with: hashnet demo. Each command has its own --help.",
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND"
    )
    for name, module in COMMANDS.items():
        text = module.__doc__.strip()
        command = commands.add_parser(
            name,
            help=text.splitlines()[0],
            description=text,
            formatter_class=_HelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    arguments, unknown = parser.parse_known_args(argv[1:])
    if unknown:
        # By the parser of the command, whose help tells what is known.
        commands.choices[arguments.command].error(
            f"unrecognized arguments: {' '.join(unknown)}"
        )
    return arguments


def run(arguments):
    """Runs a parsed command: 0, 1 for a broken bound, 2 for bad input."""
    try:
        return arguments.run(arguments)
    except (ValueError, OSError) as error:
        return _fail(arguments, error, 2)
    except RuntimeError as error:
        if not isinstance(error, hn.export.ParityError):
            raise
        return _fail(arguments, error, 1)


def _fail(arguments, error, code):
    logging.vlog(1, "The command failed with:", exc_info=True)
    # In one line, which what Keras says may not be.
    message = " ".join(str(error).split())
    print(f"hashnet {arguments.command}: error: {message}", file=sys.stderr)
    return code


def main():
    """Entry point of the console script."""
    # TensorFlow tells of processors while it loads, and each step of a save;
    # `--verbosity=0` shows the latter again.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.set_verbosity(logging.WARNING)
    app.run(lambda arguments: sys.exit(run(arguments)), flags_parser=parse)


def main_of(command):
    """Entry point of `python -m hashnet_tf.tools.<command>`."""
    sys.argv.insert(1, command)
    main()


if __name__ == "__main__":
    main()
