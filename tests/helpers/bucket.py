"""A bucket of an S3 on localhost (moto), for tests."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow.fs as pa_fs
import pytest

NAME = "portraits"


@contextmanager
def bucket(files: dict[str, bytes]) -> Iterator[str]:
    """Serve files, and let this process and its children find them under ``s3://portraits``.

    Args:
        files: Keys and contents.

    Yields:
        The server's host and port.
    """
    server_module = pytest.importorskip("moto.server", reason="pip install 'moto[s3]' flask flask-cors")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = server_module.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (
            ("AWS_ACCESS_KEY_ID", "anyone"), ("AWS_SECRET_ACCESS_KEY", "anything"), ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", f"http://{host}:{port}"), ("AWS_EC2_METADATA_DISABLED", "true"),
        ):  # fmt: skip
            patch.setenv(name, value)
        store = pa_fs.S3FileSystem(endpoint_override=f"{host}:{port}", scheme="http", allow_bucket_creation=True)
        store.create_dir(NAME)
        for key, content in files.items():
            with store.open_output_stream(f"{NAME}/{key}") as file:
                file.write(content)
        yield f"{host}:{port}"
    server.stop()
