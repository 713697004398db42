"""Which versions of a model the server loads, and what they are called."""


def models_config(name, labels):
    """Writes a `ModelServerConfig` of one model as a text proto.

    The versions that carry a label are served, and no other.

    Args:
        name: Str, the model.
        labels: Dict from label to version.

    Returns:
        Str, for the server's --model_config_file.

    Example:

    >>> from hashnet_tf.export.serving.models_config import models_config
    >>> "versions: 3" in models_config("cats", {"stable": 3})
    True
    """
    versions = "".join(
        f"        versions: {version}\n"
        for version in sorted(set(labels.values()))
    )
    entries = "".join(
        "    version_labels {\n"
        f'      key: "{label}"\n'
        f"      value: {version}\n"
        "    }\n"
        for label, version in labels.items()
    )
    return (
        "model_config_list {\n"
        "  config {\n"
        f'    name: "{name}"\n'
        f'    base_path: "/models/{name}"\n'
        '    model_platform: "tensorflow"\n'
        "    model_version_policy {\n"
        "      specific {\n"
        f"{versions}"
        "      }\n"
        "    }\n"
        f"{entries}"
        "  }\n"
        "}\n"
    )
