"""What an ordinary user of the unmodified mlflow client does; prints what came out, as JSON.

The tracking server is named by MLFLOW_TRACKING_URI.
"""

import json
import logging
import os
import tempfile

os.environ.setdefault("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "false")
logging.getLogger("mlflow").setLevel(logging.ERROR)

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

out = {}


def refused(call):
    """The error code and text that a call is refused with."""
    try:
        call()
    except MlflowException as error:
        return {"code": error.error_code, "message": str(error)}
    return None


client = MlflowClient()
experiment = mlflow.set_experiment("iris")
out["experiment_id"] = experiment.experiment_id
iris = load_iris(as_frame=True)
x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=7)

with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "iris.csv")
    iris.frame.to_csv(path, index=False)
    dataset = mlflow.data.from_pandas(
        pd.read_csv(path), source=path, name="iris", targets="target"
    )

    # Autolog: parameters, metrics, the model and its environment without a line of code.
    mlflow.sklearn.autolog()
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_input(dataset, context="training")
        model = LogisticRegression(max_iter=200, C=0.5).fit(x_train, y_train)
        mlflow.log_metric("accuracy", model.score(x_test, y_test))
        for step in range(5):
            mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
        mlflow.log_metric("odd", float("nan"))
        mlflow.log_metric("endless", float("inf"))
        mlflow.log_text("a note", "notes/note.txt")
        mlflow.log_dict({"a": 1}, "notes/deep/one.json")
        mlflow.set_tag("team", "plants")
    mlflow.sklearn.autolog(disable=True)
    out["first"] = run.info.run_id

    with mlflow.start_run(run_name="second", tags={"team": "animals"}) as run:
        mlflow.log_params({f"p{index}": index for index in range(20)})
        mlflow.log_metrics({f"m{index}": index / 10 for index in range(20)})
        mlflow.log_metric("accuracy", 0.5)
        better = LogisticRegression(max_iter=500).fit(x_train, y_train)
        info = mlflow.sklearn.log_model(
            better, name="model", input_example=x_train.head(2), registered_model_name="iris"
        )
        out["model_id"] = info.model_id
        with mlflow.start_run(run_name="child", nested=True) as child:
            mlflow.log_param("depth", 3)
    out["second"] = run.info.run_id
    out["child"] = child.info.run_id

first = client.get_run(out["first"])
out["first_run"] = {
    "status": first.info.status,
    "params": first.data.params,
    "metrics": {key: repr(value) for key, value in first.data.metrics.items()},
    "tags": first.data.tags,
    "inputs": [
        {
            "name": one.dataset.name,
            "source_type": one.dataset.source_type,
            "tags": {tag.key: tag.value for tag in one.tags},
        }
        for one in first.inputs.dataset_inputs
    ],
    "outputs": [one.model_id for one in first.outputs.model_outputs],
}
out["history"] = [(point.step, point.value) for point in client.get_metric_history(out["first"], "loss")]
out["artifacts"] = sorted(one.path for one in client.list_artifacts(out["first"]))
out["nested_artifacts"] = sorted(one.path for one in client.list_artifacts(out["first"], "notes"))
out["note"] = mlflow.artifacts.load_text(f"runs:/{out['first']}/notes/note.txt")

found = client.search_runs(
    [out["experiment_id"]],
    filter_string="metrics.accuracy > 0.6 AND tags.team = 'plants' AND attributes.status = 'FINISHED'",
    order_by=["metrics.accuracy DESC"],
)
out["found"] = [one.info.run_id for one in found]
out["all"] = len(mlflow.search_runs(["0", out["experiment_id"]]))
out["by_name"] = [
    one.info.run_id
    for one in client.search_runs([out["experiment_id"]], "attributes.run_name LIKE 'sec%'")
]
out["by_dataset"] = [
    one.info.run_id
    for one in client.search_runs([out["experiment_id"]], "dataset.name = 'iris'")
]
out["children"] = [
    one.info.run_id
    for one in client.search_runs(
        [out["experiment_id"]], f"tags.`mlflow.parentRunId` = '{out['second']}'"
    )
]
pages, token = [], None
while True:
    page = client.search_runs([out["experiment_id"]], max_results=1, page_token=token)
    pages.extend(one.info.run_id for one in page)
    token = page.token
    if not token:
        break
out["pages"] = pages
out["experiments"] = [one.name for one in client.search_experiments(filter_string="name LIKE 'ir%'")]

# The registry: alias, load back by alias and by version, predict.
client.set_registered_model_alias("iris", "champion", "1")
client.set_registered_model_tag("iris", "owner", "botany")
version = client.get_model_version_by_alias("iris", "champion")
out["version"] = {"version": version.version, "run_id": version.run_id, "status": version.status}
loaded = mlflow.pyfunc.load_model("models:/iris@champion")
again = mlflow.sklearn.load_model("models:/iris/1")
by_id = mlflow.pyfunc.load_model(f"models:/{out['model_id']}")
expected = better.predict(x_test).tolist()
out["predicts_alike"] = [
    loaded.predict(x_test).tolist() == expected,
    again.predict(x_test).tolist() == expected,
    by_id.predict(x_test).tolist() == expected,
]
logged = client.get_logged_model(out["model_id"])
out["logged_model"] = {
    "status": str(logged.status),
    "name": logged.name,
    "source_run_id": logged.source_run_id,
    "params": len(logged.params),
    "metrics": len(logged.metrics),
    "tags": sorted(logged.tags),
}
out["logged_models"] = [
    one.model_id
    for one in mlflow.search_logged_models(
        [out["experiment_id"]], filter_string="metrics.m3 = 0.3", output_format="list"
    )
]

# Refusals, by their codes and texts.
out["refused"] = {
    "param": refused(lambda: client.log_param(out["second"], "p1", "other")),
    "no_run": refused(lambda: client.get_run("0" * 32)),
    "experiment": refused(lambda: client.create_experiment("iris")),
    "filter": refused(lambda: client.search_runs([out["experiment_id"]], "metrics.a > 1 OR metrics.b > 1")),
    "alias": refused(lambda: client.get_model_version_by_alias("iris", "nobody")),
}
client.log_param(out["second"], "p1", "1")
client.delete_run(out["child"])
out["deleted"] = client.get_run(out["child"]).info.lifecycle_stage
out["write_to_deleted"] = refused(lambda: client.set_tag(out["child"], "a", "b"))
client.restore_run(out["child"])
out["restored"] = client.get_run(out["child"]).info.lifecycle_stage
client.update_run(out["child"], name="renamed")
out["renamed"] = client.get_run(out["child"]).data.tags["mlflow.runName"]

print("RESULT " + json.dumps(out))
