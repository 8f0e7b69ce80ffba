"""A multipart upload by MLflow's own client whose server is killed three times on the way.

Writes CRASH and waits for a line wherever the test kills the server and starts it again.
"""

import json
import os
import tempfile

import mlflow
from mlflow.artifacts import download_artifacts
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

PART = 4 * 1024 * 1024
crashes = 0


def crash():
    global crashes
    crashes += 1
    print("CRASH", flush=True)
    input()


with tempfile.TemporaryDirectory() as directory, mlflow.start_run() as run:
    large = os.path.join(directory, "large.bin")
    content = os.urandom(3 * PART)
    with open(large, "wb") as file:
        file.write(content)
    repository = get_artifact_repository(run.info.artifact_uri)
    created = repository.create_multipart_upload(large, 3, "d")
    crash()
    parts = []
    for index, credential in enumerate(created.credentials):
        parts.append(repository._upload_part(credential, large, PART, index * PART))
        if index == 1:
            crash()
    repository.complete_multipart_upload(large, created.upload_id, parts, "d")
    crash()
    # A client that did not hear the answer asks again.
    repository.complete_multipart_upload(large, created.upload_id, parts, "d")
    fetched = download_artifacts(
        run_id=run.info.run_id, artifact_path="d/large.bin", dst_path=directory + "/fetched"
    )
    with open(fetched, "rb") as file:
        same = file.read() == content
    listed = [
        (each.path, each.is_dir, each.file_size)
        for each in mlflow.MlflowClient().list_artifacts(run.info.run_id, "d")
    ]

print("RESULT " + json.dumps({"crashes": crashes, "same": same, "listed": listed}))
