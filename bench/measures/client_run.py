"""Times ordinary runs of the unmodified mlflow client: 20 params, 20 metrics, and a model.

Prints one line of JSON: milliseconds of each run, and how much of them was waiting for the server.
Usage: client_run.py TRACKING_URI REPEATS
"""

import json
import logging
import sys
import time
import warnings

import requests

warnings.filterwarnings("ignore")
waiting = 0.0
send = requests.Session.send


def timed_send(self, request, **options):
    global waiting
    began = time.perf_counter()
    try:
        return send(self, request, **options)
    finally:
        waiting += time.perf_counter() - began


requests.Session.send = timed_send

import mlflow  # noqa: E402
import mlflow.sklearn  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

logging.getLogger("mlflow").setLevel(logging.ERROR)


def one_run(model, with_model):
    global waiting
    waiting = 0.0
    began = time.perf_counter()
    with mlflow.start_run():
        for i in range(20):
            mlflow.log_param(f"param_{i}", i)
        for i in range(20):
            mlflow.log_metric(f"metric_{i}", i / 20)
        if with_model:
            mlflow.sklearn.log_model(model, name="model", pip_requirements=["scikit-learn"])
    return {"totalMs": (time.perf_counter() - began) * 1000, "waitingMs": waiting * 1000}


def main():
    uri, repeats = sys.argv[1], int(sys.argv[2])
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("bench-client")
    model = LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True))
    one_run(model, True)
    result = {
        "withModel": [one_run(model, True) for _ in range(repeats)],
        "withoutModel": [one_run(model, False) for _ in range(repeats)],
    }
    print(json.dumps(result))


main()
