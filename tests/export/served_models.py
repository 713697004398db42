"""The models of a models.config, each version in a C session of its own.

For a process of its own, like `c_api`.
"""

import pathlib

from c_api import StatusError
from c_session import INVALID_ARGUMENT, CSession
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

NOT_FOUND = 5


class ServedModels:
    """Finds the session that a request means, with the server's errors.

    Args:
        path: A `ModelServerConfig` as text. Of the version policies only
            `specific` is known.
    """

    def __init__(self, path):
        config = text_format.Parse(
            pathlib.Path(path).read_text(),
            model_server_config_pb2.ModelServerConfig(),
        )
        self.sessions, self._labels = {}, {}
        for model in config.model_config_list.config:
            self.sessions[model.name] = {
                version: CSession(f"{model.base_path}/{version}")
                for version in model.model_version_policy.specific.versions
            }
            self._labels[model.name] = dict(model.version_labels)

    def find(self, name, version=None, label=None):
        """Returns `(version, session)`; with neither, of the last version.

        Raises:
            StatusError: If there is none.
        """
        if label is not None:
            version = self._labels.get(name, {}).get(label)
            if version is None:
                raise StatusError(
                    INVALID_ARGUMENT,
                    f"Unrecognized servable version label: {label}",
                )
        versions = self.sessions.get(name, {})
        if version is None and versions:
            version = max(versions)
        if version not in versions:
            wanted = (
                f"Latest({name})"
                if version is None
                else f"Specific({name}, {version})"
            )
            raise StatusError(
                NOT_FOUND, f"Servable not found for request: {wanted}"
            )
        return version, versions[version]
