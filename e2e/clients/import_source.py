"""Fills an MLflow server or database with some of everything that an import brings.

The store is named by MLFLOW_TRACKING_URI. Prints what it made, as JSON.
"""

import json
import logging
import os
import sys
import tempfile

logging.getLogger("mlflow").setLevel(logging.ERROR)

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from sklearn.linear_model import LogisticRegression

client = MlflowClient()
out = {}

experiment = mlflow.set_experiment("credit")
client.set_experiment_tag(experiment.experiment_id, "team", "risk")
other = client.create_experiment("empty, then deleted")
client.delete_experiment(other)
out["experiments"] = [experiment.experiment_id, other]

data = pd.DataFrame({"age": [20, 30, 40, 50], "income": [1.0, 2.0, 3.0, 4.0], "y": [0, 0, 1, 1]})
with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "train.csv")
    data.to_csv(path, index=False)
    with mlflow.start_run(run_name="train", tags={"stage": "dev"}) as run:
        out["run"] = run.info.run_id
        mlflow.log_params({"C": 0.5, "long": "x" * 3000, "empty": ""})
        dataset = mlflow.data.from_pandas(data, source=path, name="applicants", targets="y")
        mlflow.log_input(dataset, context="training")
        points = [Metric("loss", 1 / (step + 1), 1_700_000_000_000 + step, step) for step in range(2500)]
        for start in range(0, len(points), 1000):
            client.log_batch(run.info.run_id, metrics=points[start : start + 1000])
        mlflow.log_text("a note", "notes/deep/note.txt")
        mlflow.log_dict({"a": 1}, "empty name.json")
        model = LogisticRegression().fit(data[["age", "income"]], data["y"])
        info = mlflow.sklearn.log_model(model, name="model", input_example=data[["age", "income"]][:1])
        out["model_id"] = info.model_id
        odd = [
            Metric("odd", float("nan"), 1_700_000_000_000, 0),
            Metric("odd", 0.0, 1_700_000_000_000, 0),
            Metric("odd", float("inf"), 1_700_000_000_001, 1),
            Metric("odd", float("-inf"), 1_700_000_000_002, -1),
            Metric("odd", 5.0, 1_600_000_000_000, 7),
        ]
        client.log_batch(run.info.run_id, metrics=odd)
        mlflow.log_metric("accuracy", 0.75, step=1, model_id=info.model_id, dataset=dataset)
        mlflow.log_metric("undefined", float("nan"), model_id=info.model_id)
        client.set_logged_model_tags(info.model_id, {"approved": "yes"})
        with mlflow.start_run(run_name="child", nested=True) as child:
            out["child"] = child.info.run_id
            mlflow.log_metric("fold", 1.0)
    out["predictions"] = [float(p) for p in model.predict(data[["age", "income"]])]

for name, status in (("failed", "FAILED"), ("killed", "KILLED"), ("running", "RUNNING")):
    each = client.create_run(experiment.experiment_id, run_name=name, start_time=1_650_000_000_000)
    out[name] = each.info.run_id
    client.log_batch(each.info.run_id, params=[Param("p", name)], tags=[RunTag("t", "é漢\n'")])
    if status != "RUNNING":
        client.set_terminated(each.info.run_id, status, end_time=1_650_000_001_000)
gone = client.create_run(experiment.experiment_id, run_name="gone")
client.log_metric(gone.info.run_id, "kept", 3.0, step=3)
client.delete_run(gone.info.run_id)
out["gone"] = gone.info.run_id

with mlflow.start_run(run_name="reader") as reader:
    out["reader"] = reader.info.run_id
    client.log_inputs(reader.info.run_id, models=[mlflow.entities.LoggedModelInput(out["model_id"])])

client.create_registered_model("credit-risk", tags={"owner": "risk"}, description="Who pays back.")
for number in range(3):
    client.create_model_version(
        "credit-risk", f"models:/{out['model_id']}", out["run"], model_id=out["model_id"],
        tags={"number": str(number)}, description=f"number {number}",
    )
client.delete_model_version("credit-risk", "2")
client.transition_model_version_stage("credit-risk", "1", "Archived")
client.transition_model_version_stage("credit-risk", "3", "Production")
client.set_registered_model_alias("credit-risk", "champion", "3")
mlflow.register_prompt("greeting", "Hello {{name}}", commit_message="first", tags={"lang": "en"})
mlflow.set_prompt_alias("greeting", "live", 1)

with mlflow.start_span("a trace"):
    pass

print("RESULT " + json.dumps(out))
