"""Autologging, searches, evaluation and datasets with the unmodified mlflow client; prints run ids as JSON.

The tracking server is named by MLFLOW_TRACKING_URI; files are made in the working directory.
"""

import json
import logging
import os
import sys
import time
from pathlib import Path

import datasets
import deltalake
import lightgbm
import mlflow
import numpy
import optuna
import pandas
import xgboost
from mlflow.data.delta_dataset_source import DeltaDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

logging.getLogger("mlflow").setLevel(logging.ERROR)
optuna.logging.set_verbosity(optuna.logging.ERROR)
here = Path.cwd()
out = {"here": str(here), "inputs": {}}
frame = load_iris(as_frame=True).frame
frame["target"] = (frame["target"] > 0).astype("int64")
x, y = frame.drop(columns="target"), frame["target"]


def boost() -> None:
    mlflow.set_experiment("boost")
    mlflow.xgboost.autolog(registered_model_name="boosted")
    with mlflow.start_run() as run:
        train = xgboost.DMatrix(x[20:], label=y[20:])
        valid = xgboost.DMatrix(x[:20], label=y[:20])
        options = {"objective": "binary:logistic", "max_depth": 2, "seed": 4}
        xgboost.train(
            options, train, num_boost_round=3, evals=[(valid, "valid")], verbose_eval=False
        )
    mlflow.xgboost.autolog(disable=True)
    out["xgboost"] = run.info.run_id
    mlflow.lightgbm.autolog(registered_model_name="light")
    with mlflow.start_run() as run:
        model = lightgbm.LGBMClassifier(n_estimators=3, random_state=3, verbose=-1)
        model.fit(x[20:], y[20:], eval_set=[(x[:20], y[:20])])
    mlflow.lightgbm.autolog(disable=True)
    out["lightgbm"] = run.info.run_id


def search() -> None:
    mlflow.set_experiment("search")
    mlflow.sklearn.autolog(log_models=False, max_tuning_runs=2)
    with mlflow.start_run() as run:
        GridSearchCV(LogisticRegression(max_iter=200), {"C": [0.01, 1.0]}, cv=2).fit(x, y)
    mlflow.sklearn.autolog(disable=True)
    out["grid"] = run.info.run_id
    out["trials"] = []
    frame.to_parquet("iris.parquet")
    data = mlflow.data.from_pandas(frame, source=str(here / "iris.parquet"), targets="target")

    def objective(trial: optuna.Trial) -> float:
        with mlflow.start_run(nested=True) as run:
            c = trial.suggest_float("C", 0.01, 10, log=True)
            model = LogisticRegression(C=c, max_iter=500).fit(x, y)
            mlflow.log_param("C", c)
            mlflow.log_metric("accuracy", model.score(x, y))
            if trial.number == 1:
                info = mlflow.sklearn.log_model(
                    model,
                    name="model",
                    registered_model_name="best",
                    input_example=x.head(2),
                    pip_requirements=["scikit-learn"],
                )
                out["model"] = info.model_id
            out["trials"].append(run.info.run_id)
            return model.score(x, y)

    with mlflow.start_run() as run:
        mlflow.log_input(data, context="training")
        sampler = optuna.samplers.RandomSampler(seed=1)
        optuna.create_study(direction="maximize", sampler=sampler).optimize(objective, n_trials=2)
    out["study"] = run.info.run_id


def evaluate() -> None:
    data = mlflow.data.from_pandas(
        frame, source="s3://lake/iris.parquet", targets="target", name="held-out"
    )
    with mlflow.start_run() as run:
        mlflow.models.evaluate(
            f"models:/{out['model']}",
            data,
            model_type="classifier",
            evaluator_config={"log_model_explainability": False},
        )
    out["evaluation"] = run.info.run_id


def log_inputs() -> None:
    mlflow.set_experiment("data")
    frame.to_csv("a.csv", index=False)
    frame.head(9).to_csv("b.csv", index=False)
    for _ in range(3):
        deltalake.write_deltalake("delta", frame, mode="append")
    table = deltalake.DeltaTable("delta")
    parts = {"train": [str(here / "a.csv"), str(here / "b.csv")], "test": str(here / "b.csv")}
    loaded = datasets.load_dataset("csv", data_files=parts, split="train", cache_dir="cache")
    memory = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]})
    delta = DeltaDatasetSource(path=str(here / "delta"), delta_table_version=table.version())
    inputs = {
        "pandas": mlflow.data.from_pandas(frame, source=str(here / "a.csv"), targets="target"),
        "code": mlflow.data.from_pandas(frame, name="made"),
        "numpy": mlflow.data.from_numpy(
            {"x": numpy.zeros((3, 4)), "z": numpy.zeros((3, 2, 2))},
            targets=numpy.ones(3),
            source="https://user:hush@host.example/x.npz?sig=hidden",
        ),
        "hub": mlflow.data.from_huggingface(memory, path="owner/texts", revision="a" * 40),
        "files": mlflow.data.from_huggingface(
            loaded, path="csv", data_files=parts, name="two files"
        ),
        "delta": MetaDataset(delta),
        "described": MetaDataset(DeltaDatasetSource(path=str(here / "elsewhere"))),
    }
    for name, data in inputs.items():
        with mlflow.start_run(run_name=name) as run:
            mlflow.log_input(data, context="training")
            mlflow.log_input(data, context="eval")
        out["inputs"][name] = run.info.run_id
    got = mlflow.get_run(out["inputs"]["numpy"]).inputs.dataset_inputs[0].dataset
    out["numpy_source"] = json.loads(got.source)


def log_the_rest() -> None:
    mlflow.set_experiment("rest")
    mlflow.set_system_metrics_sampling_interval(1)
    mlflow.set_system_metrics_samples_before_logging(1)
    with mlflow.start_run(log_system_metrics=True) as run:
        mlflow.log_table({"a": [1, 2]}, "tables/one.json")
        mlflow.log_dict({"a": 1}, "one.yaml")
        mlflow.log_image(numpy.zeros((2, 2, 3), dtype="uint8"), "one.png")
        Path("model.py").write_text(
            "import mlflow\n"
            "class Same(mlflow.pyfunc.PythonModel):\n"
            "    def predict(self, context, model_input, params=None):\n"
            "        return model_input\n"
            "mlflow.models.set_model(Same())\n"
        )
        info = mlflow.pyfunc.log_model(
            name="same", python_model="model.py", pip_requirements=["pandas"]
        )
        out["from_code"] = info.model_id
        time.sleep(3)
    out["rest"] = run.info.run_id


for step in (boost, search, evaluate, log_inputs, log_the_rest):
    step()
    print(step.__name__, round(time.process_time()), "s", file=sys.stderr)
print("RESULT", json.dumps(out))
