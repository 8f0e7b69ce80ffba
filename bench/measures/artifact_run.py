"""Times how the unmodified mlflow client uploads and downloads one large artifact.

The servers take turns, so that what disturbs one disturbs the other. Prints one line of JSON: for
each server the megabytes (10^6 bytes) a second of each upload and each download.
Usage: artifact_run.py MIB REPEATS TRACKING_URI...
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


def one_turn(uri, path, directory):
    """Seconds that the file takes up, and down again."""
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("bench-artifact")
    with mlflow.start_run() as run:
        # What the other server left to be written later must not be waited for by this one.
        os.sync()
        began = time.perf_counter()
        mlflow.log_artifact(path)
        up = time.perf_counter() - began
        target = os.path.join(directory, "fetched")
        began = time.perf_counter()
        fetched = mlflow.artifacts.download_artifacts(
            run_id=run.info.run_id, artifact_path=os.path.basename(path), dst_path=target
        )
        down = time.perf_counter() - began
    if not filecmp.cmp(path, fetched, shallow=False):
        sys.exit("the artifact came back other than it was")
    os.remove(fetched)
    return up, down


def main():
    mib, repeats, uris = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    megabytes = mib * 1024 * 1024 / 1e6
    result = [{"up": [], "down": []} for _ in uris]
    # Where the benchmark runs: its own directory goes with it.
    with tempfile.TemporaryDirectory(dir=".") as directory:
        path = os.path.join(directory, "artifact.bin")
        write_file(path, 1)
        for uri in uris:
            one_turn(uri, path, directory)
        for _ in range(repeats):
            write_file(path, mib)
            for uri, rates in zip(uris, result):
                up, down = one_turn(uri, path, directory)
                rates["up"].append(megabytes / up)
                rates["down"].append(megabytes / down)
    print("RESULT " + json.dumps(result))


main()
