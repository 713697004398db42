"""Which model, and which version of it, a server shall ask."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """A model of a server: its latest version unless one is named.

    Attributes:
        name: Str.
        version: Positive int, or None.
        label: Str, which the server's configuration gives to a version, or
            None. At most one of version and label.

    Raises:
        ValueError: If they are not such.

    Example:

    >>> from hashnet_tf.export.serving.served_model import ServedModel
    >>> ServedModel("hashnet", label="stable").version is None
    True
    """

    name: str
    version: int | None = None
    label: str | None = None

    def __post_init__(self):
        if not (isinstance(self.name, str) and self.name):
            raise ValueError(
                "`model` must be the name of a model on the server."
                f" Received: model={self.name!r}"
            )
        version, label = self.version, self.label
        if version is not None and (type(version) is not int or version < 1):
            raise ValueError(
                "`version` must be a positive integer or None."
                f" Received: version={version!r}"
            )
        if label is not None and not (isinstance(label, str) and label):
            raise ValueError(
                "`label` must be a name that the server gives to a version,"
                f" or None. Received: label={label!r}"
            )
        if version is not None and label is not None:
            raise ValueError(
                "Either of `version` and `label` names a version, not both."
                f" Received: version={version!r}, label={label!r}"
            )
