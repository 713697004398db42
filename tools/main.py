"""The `hashnet` command: one word, then what it needs."""

import argparse
import importlib
import os
import sys
import types

from absl import app, logging
from absl.flags import argparse_flags

COMMANDS = (
    "demo",
    "datasets",
    "train",
    "evaluate",
    "encode",
    "search",
    "export",
    "reproduce",
)

# As a shell tells of a program that a closed pipe has ended.
PIPE_CLOSED = 141


class _Parser(argparse_flags.ArgumentParser):
    def error(self, message: str):
        self.exit(2, f"{self.prog}: error: {message} (see --help)\n")


class _HelpFormatter(
    argparse.ArgumentDefaultsHelpFormatter,
    argparse.RawDescriptionHelpFormatter,
):
    """Keeps the paragraphs of a description and tells each default."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        # What None means, and that a flag is required, is told already.
        if action.default is None:
            return action.help
        return super()._get_help_string(action)


def command(name: str) -> types.ModuleType:
    """Imports and returns the module of a command.

    Args:
        name: Str, of `COMMANDS`.
    """
    return importlib.import_module(f"hashnet_tf.tools.{name}")


def parse(argv: list[str]) -> argparse.Namespace:
    """Returns the arguments of a command line; bad usage exits with 2."""
    parser = _Parser(
        prog="hashnet",
        description="Learns binary hash codes, measures and ships them.",
        epilog="Begin with: hashnet demo. Each command has its own --help.",
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND"
    )
    # What is asked for need not wait for the flags of the others.
    asked = [name for name in argv[1:2] if name in COMMANDS]
    for name in asked or COMMANDS:
        module = command(name)
        text = (module.__doc__ or "").strip()
        subparser = commands.add_parser(
            name,
            help=text.splitlines()[0],
            description=text,
            formatter_class=_HelpFormatter,
        )
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    arguments, unknown = parser.parse_known_args(argv[1:])
    if unknown:
        # By the parser of the command, whose help tells what is known.
        commands.choices[arguments.command].error(
            f"unrecognized arguments: {' '.join(unknown)}"
        )
    return arguments


def run(arguments: argparse.Namespace) -> int:
    """Runs a parsed command: 0, 1 for a broken bound, 2 for bad input."""
    try:
        return arguments.run(arguments)
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        return _fail(arguments, error, 2)
    except RuntimeError as error:
        from hashnet_tf.export import ParityError

        if not isinstance(error, ParityError):
            raise
        return _fail(arguments, error, 1)


def _fail(arguments: argparse.Namespace, error: Exception, code: int) -> int:
    logging.vlog(1, "The command failed with:", exc_info=True)
    # In one line, which what Keras says may not be.
    message = " ".join(str(error).split())
    print(f"hashnet {arguments.command}: error: {message}", file=sys.stderr)
    return code


def command_line() -> None:
    """Entry point of the console script."""
    # TensorFlow tells of processors while it loads, and each step of a save;
    # `--verbosity=0` shows the latter again.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.set_verbosity(logging.WARNING)
    try:
        try:
            app.run(
                lambda arguments: sys.exit(run(arguments)), flags_parser=parse
            )
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read along, such as `head`, has seen enough. Python would
        # complain at its end of what it could not write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(PIPE_CLOSED)


def main_of(command: str) -> None:
    """Entry point of `python -m hashnet_tf.tools.<command>`."""
    sys.argv.insert(1, command)
    command_line()


if __name__ == "__main__":
    command_line()
