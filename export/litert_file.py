"""What a LiteRT file holds."""

from ai_edge_litert.interpreter import Interpreter, OpResolverType


def check_self_contained(content):
    """Checks that a LiteRT file holds its weights as constants.

    A converter that lost track of the variables writes a file that runs, with
    weights of its own making; it shows by operators on variables.

    Args:
        content: Bytes of the file.

    Raises:
        RuntimeError: If the file holds an operator on variables.
    """
    # Without a delegate, which would hide operators behind its own.
    interpreter = Interpreter(
        model_content=content,
        experimental_op_resolver_type=(
            OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
    )
    names = {op["op_name"] for op in interpreter._get_ops_details()}
    variables = sorted(
        names & {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"}
    )
    if variables:
        raise RuntimeError(
            "The LiteRT file must hold the weights as constants."
            f" Received: operators {', '.join(variables)}"
        )
