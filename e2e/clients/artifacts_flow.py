"""Artifacts as the unmodified mlflow client sends and fetches them; prints what came out, as JSON.

The tracking server is named by MLFLOW_TRACKING_URI; the large file has as many MiB as the argument says.
"""

import hashlib
import json
import logging
import os
import sys
import tempfile

logging.getLogger("mlflow").setLevel(logging.ERROR)

import mlflow
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts, list_artifacts
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

MIB = 1024 * 1024
out = {}


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def listed(run_id, path=None):
    return sorted(
        [each.path, each.is_dir, each.file_size]
        for each in list_artifacts(run_id=run_id, artifact_path=path)
    )


def write_large(path, mib):
    block = os.urandom(MIB)
    with open(path, "wb") as file:
        for index in range(mib):
            file.write(index.to_bytes(8, "big"))
            file.write(block[8:])
        file.write(b"the end")


mlflow.set_experiment("artifacts")
client = MlflowClient()
with tempfile.TemporaryDirectory() as directory, mlflow.start_run() as run:
    run_id = run.info.run_id
    out["run_id"] = run_id
    small = os.path.join(directory, "small.txt")
    with open(small, "w") as file:
        file.write("the same bytes")
    tree = os.path.join(directory, "tree")
    os.makedirs(os.path.join(tree, "deep", "er"))
    for name in ("a.txt", "deep/b ä.txt", "deep/er/c.bin", "deep/empty"):
        with open(os.path.join(tree, name), "w") as file:
            file.write("" if name.endswith("empty") else f"content of {name}")
    mlflow.log_artifact(small)
    mlflow.log_artifact(small, "again/and")
    mlflow.log_artifacts(tree, "tree")
    out["root"] = listed(run_id)
    out["deep"] = listed(run_id, "tree/deep")
    out["of_file"] = listed(run_id, "small.txt")

    large = os.path.join(directory, "large.bin")
    write_large(large, int(sys.argv[1]))
    out["large"] = {"digest": digest(large), "bytes": os.path.getsize(large)}
    os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = str(5 * MIB)
    mlflow.log_artifact(large, "multipart")
    os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] = "false"
    mlflow.log_artifact(large, "whole")

    fetched = os.path.join(directory, "fetched")
    download_artifacts(run_id=run_id, dst_path=fetched)
    out["fetched"] = {
        os.path.relpath(os.path.join(root, name), fetched): digest(os.path.join(root, name))
        for root, _, names in os.walk(fetched)
        for name in names
    }
    os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD"] = "true"
    os.environ["MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE"] = str(7 * MIB)
    parts = download_artifacts(
        run_id=run_id, artifact_path="multipart/large.bin", dst_path=os.path.join(directory, "p")
    )
    out["in_parts"] = digest(parts)
    del os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD"]

    x, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(x, y)
    info = mlflow.sklearn.log_model(model, name="model", pip_requirements=["scikit-learn"])
    loaded = mlflow.sklearn.load_model(info.model_uri)
    out["predicts_alike"] = bool((loaded.predict(x) == model.predict(x)).all())

    artifacts = get_artifact_repository(run.info.artifact_uri)
    artifacts.delete_artifacts("whole/large.bin")
    artifacts.delete_artifacts("tree/deep")
    out["after_delete"] = [listed(run_id, "whole"), listed(run_id, "tree")]
    try:
        download_artifacts(
            run_id=run_id, artifact_path="whole/large.bin", dst_path=os.path.join(directory, "x")
        )
    except (MlflowException, OSError) as error:
        out["gone"] = type(error).__name__

print("RESULT " + json.dumps(out))
