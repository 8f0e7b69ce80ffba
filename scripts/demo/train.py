"""Trains two versions of the model `credit-risk` and registers them at MLFLOW_TRACKING_URI.

Nothing here knows of Wherefrom: it is what a script that uses MLflow looks like anyway.
Usage: python train.py DIRECTORY_OF_FEATURES
"""

import json
import sys
from pathlib import Path

import mlflow
import pandas
from mlflow.models import infer_signature
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

MODEL = "credit-risk"
TARGET = "defaulted"
SEED = 42
DATA = Path(sys.argv[1])

FIRST = {"numbers": ["credit_amount", "duration"], "categories": ["housing"], "C": 0.01}
SECOND = {
    "numbers": ["credit_amount", "duration", "amount_per_month", "age", "job"],
    "categories": ["age_group", "housing", "saving_accounts", "checking_account", "purpose"],
    "C": 0.5,
}


def train(name: str, numbers: list[str], categories: list[str], C: float) -> dict:
    """Trains, evaluates and registers one version. Returns its number and its AUC on the test data."""
    features = numbers + categories
    settings = {"C": C, "class_weight": "balanced", "max_iter": 1000, "random_state": SEED}
    prepare = make_column_transformer(
        (StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), categories)
    )
    model = make_pipeline(prepare, LogisticRegression(**settings))
    with mlflow.start_run(run_name=name):
        mlflow.log_params(settings | {"numbers": numbers, "categories": categories})
        train_rows = read_and_log("credit_train.parquet", features, "training")
        test_rows = read_and_log("credit_test.parquet", features, "test")
        model.fit(train_rows[features], train_rows[TARGET])
        risk = model.predict_proba(test_rows[features])[:, 1]
        metrics = {
            "test_auc": roc_auc_score(test_rows[TARGET], risk),
            "test_accuracy": accuracy_score(test_rows[TARGET], risk > 0.5),
            "test_recall": recall_score(test_rows[TARGET], risk > 0.5),
        }
        mlflow.log_metrics(metrics)
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(train_rows[features], model.predict(train_rows[features])),
            registered_model_name=MODEL,
        )
    return {"version": int(logged.registered_model_version), "auc": metrics["test_auc"]}


def read_and_log(file: str, features: list[str], context: str) -> pandas.DataFrame:
    """Reads the columns that are needed, and logs them as an input of the run."""
    path = str(DATA / file)
    rows = pandas.read_parquet(path, columns=[*features, TARGET])
    dataset = mlflow.data.from_pandas(rows, source=path, targets=TARGET, name=file)
    mlflow.log_input(dataset, context=context)
    return rows


mlflow.set_experiment("credit-risk")
versions = [train("first try", **FIRST), train("more features", **SECOND)]
best = max(versions, key=lambda version: version["auc"])
mlflow.MlflowClient().set_registered_model_alias(MODEL, "champion", best["version"])
print(json.dumps({"versions": versions, "champion": best["version"]}))
