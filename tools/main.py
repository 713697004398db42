"""The `hashnet` command: one word, then what it needs."""

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import sys
import traceback
import types
import typing

from absl import app, logging
from absl.flags import argparse_flags

from hashnet_tf import _output

COMMANDS = (
    "demo",
    "datasets",
    "train",
    "evaluate",
    "encode",
    "search",
    "index",
    "serve",
    "export",
    "reproduce",
)

# As a shell tells of programs that a closed pipe or Ctrl-C has ended.
PIPE_CLOSED = 141
INTERRUPTED = 130


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


def add_data_at(parser: argparse.ArgumentParser) -> None:
    """Adds the flag of the commands that read a run's data."""
    parser.add_argument(
        "--data_at",
        help="folder or file where the run's data lie now; none: where they"
        " lay in training",
    )


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
        subparser = add_parser(commands, name, text.splitlines()[0], text)
        # Of a command of several actions, the parser of each.
        for parsed in module.add_arguments(subparser) or [subparser]:
            _add_common(parsed)
        subparser.set_defaults(run=module.run)
    arguments, unknown = parser.parse_known_args(argv[1:])
    if unknown:
        # By the parser of the command, whose help tells what is known.
        commands.choices[arguments.command].error(
            f"unrecognized arguments: {' '.join(unknown)}"
        )
    for name, value in vars(arguments).items():
        if value == "":
            commands.choices[arguments.command].error(
                f"argument --{name}: a value is needed, received none"
            )
        if isinstance(value, str):
            setattr(arguments, name, _expanded(value))
    return arguments


def add_parser(
    parsers: typing.Any, name: str, help: str, description: str
) -> argparse.ArgumentParser:
    """Adds the parser of a command, or of an action of one.

    Args:
        parsers: What `add_subparsers` returned.
        name: Str.
        help: Str, a line in the list of all.
        description: Str, at the head of its own help.
    """
    return parsers.add_parser(
        name,
        help=help,
        description=description,
        formatter_class=_HelpFormatter,
        # A mistyped flag must not be taken for another one.
        allow_abbrev=False,
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument(
        "--quiet", action="store_true", help="print the answer alone"
    )
    loudness.add_argument(
        "--verbose",
        action="store_true",
        help="print what TensorFlow and other libraries say, too",
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        help="show where in the program an error comes from",
    )


def _expanded(value: str) -> str:
    """Returns a value with a leading ~ as the shell has it.

    No shell expands one behind "=" or ":".
    """
    kind, colon, place = value.partition(":")
    if colon and place.startswith("~"):
        return f"{kind}:{os.path.expanduser(place)}"
    return os.path.expanduser(value)


def run(arguments: argparse.Namespace) -> int:
    """Runs a parsed command.

    Returns:
        Int: 0; 1 for a broken bound; 2 for bad input; 3 for what should not
        happen; 130 for Ctrl-C.
    """
    _output.set_loudness(
        _output.QUIET
        if arguments.quiet
        else _output.VERBOSE
        if arguments.verbose
        else _output.USUAL
    )
    try:
        return arguments.run(arguments)
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        print(
            f"hashnet {arguments.command}: interrupted; the same command goes"
            " on",
            file=sys.stderr,
        )
        return INTERRUPTED
    except Exception as error:
        if arguments.debug:
            traceback.print_exc()
        return _fail(arguments, error)


def _fail(arguments: argparse.Namespace, error: Exception) -> int:
    # In one line, which what Keras says may not be.
    message, code = " ".join(str(error).split()), 2
    if not isinstance(error, (ValueError, OSError)):
        # Where there is such an error, TensorFlow has been loaded.
        import tensorflow as tf

        from hashnet_tf.export import ParityError

        if isinstance(error, ParityError):
            code = 1
        elif not isinstance(error, tf.errors.OpError):
            code = 3
            message = (
                f"{type(error).__name__}: {message} (this should not happen;"
                " please report it with what --debug shows)"
            )
    print(f"hashnet {arguments.command}: error: {message}", file=sys.stderr)
    return code


class _SilentImport(importlib.abc.MetaPathFinder):
    """Loads TensorFlow without what it tells of processors meanwhile."""

    def find_spec(
        self, fullname: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            with _output.silenced():
                load(module)
                module.config.list_physical_devices()

        spec.loader.exec_module = exec_module
        return spec


def _begin(arguments: argparse.Namespace) -> int:
    # The process is the command's own here, not so where `run` is called.
    if not arguments.verbose:
        # Each step of a save, too, would be told.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        logging.set_verbosity(logging.WARNING)
        _output.silence_libraries()
    sys.meta_path.insert(0, _SilentImport())
    return run(arguments)


def command_line() -> None:
    """Entry point of the console script."""
    # An answer must not be lost to a name that the terminal cannot show.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app.run(
                lambda arguments: sys.exit(_begin(arguments)),
                flags_parser=parse,
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
