"""Times how the unmodified mlflow client uploads and downloads one large artifact.

Prints one line of JSON: megabytes (10^6 bytes) a second of each upload and each download.
Usage: artifact_run.py TRACKING_URI MIB REPEATS
"""

import filecmp
import json
import logging
import os
import sys
import tempfile
import time

import mlflow

logging.getLogger("mlflow").setLevel(logging.ERROR)


def write_file(path, mib):
    """Bytes that are like no others: what was stored before is not stored again."""
    with open(path, "wb") as file:
        for _ in range(mib):
            file.write(os.urandom(1024 * 1024))
        file.flush()
        os.fsync(file.fileno())


def main():
    uri, mib, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    megabytes = mib * 1024 * 1024 / 1e6
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("bench-artifact")
    result = {"up": [], "down": []}
    # Where the benchmark runs: its own directory goes with it.
    with tempfile.TemporaryDirectory(dir=".") as directory, mlflow.start_run() as run:
        small = os.path.join(directory, "small")
        write_file(small, 1)
        mlflow.log_artifact(small)
        for index in range(repeats):
            path = os.path.join(directory, f"{index}.bin")
            write_file(path, mib)
            began = time.perf_counter()
            mlflow.log_artifact(path)
            result["up"].append(megabytes / (time.perf_counter() - began))
            began = time.perf_counter()
            target = os.path.join(directory, "fetched")
            fetched = mlflow.artifacts.download_artifacts(
                run_id=run.info.run_id, artifact_path=f"{index}.bin", dst_path=target
            )
            result["down"].append(megabytes / (time.perf_counter() - began))
            if not filecmp.cmp(path, fetched, shallow=False):
                sys.exit("the artifact came back other than it was")
            os.remove(path)
            os.remove(fetched)
    print(json.dumps(result))


main()
