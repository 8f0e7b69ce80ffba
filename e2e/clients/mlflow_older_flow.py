"""What a user of an older mlflow client does; prints what came out, as JSON.

Written for mlflow 2.22 and 3.1 alike. The tracking server is named by MLFLOW_TRACKING_URI.
"""

import json
import logging
import os
import tempfile

logging.getLogger("mlflow").setLevel(logging.ERROR)

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

out = {"version": mlflow.__version__}
client = MlflowClient()
iris = load_iris(as_frame=True)


def refused(call):
    """The error code that a call is refused with."""
    try:
        call()
    except MlflowException as error:
        return error.error_code
    return None


# Tracking: experiment, run, parameters, metrics, tags, a dataset, artifacts.
experiment = mlflow.set_experiment("older")
with mlflow.start_run(run_name="first", tags={"team": "plants"}) as run:
    mlflow.log_param("C", 0.5)
    mlflow.log_params({f"p{index}": index for index in range(5)})
    mlflow.log_metrics({"accuracy": 0.9, "loss": 0.1}, step=1)
    for step in range(3):
        mlflow.log_metric("curve", step / 2, step=step)
    mlflow.set_tag("stage", "trial")
    mlflow.log_input(mlflow.data.from_pandas(iris.frame, name="iris"), context="training")
    mlflow.log_text("a note", "notes/note.txt")
    model = LogisticRegression(max_iter=300).fit(iris.data, iris.target)
    mlflow.sklearn.log_model(
        model,
        artifact_path="model",
        input_example=iris.data.head(2),
        registered_model_name="older-iris",
    )
    with mlflow.start_run(run_name="child", nested=True):
        mlflow.log_param("depth", 1)
out["run"] = run.info.run_id
data = client.get_run(out["run"])
out["data"] = {
    "status": data.info.status,
    "params": data.data.params,
    "metrics": data.data.metrics,
    "stage": data.data.tags["stage"],
    "inputs": [one.dataset.name for one in data.inputs.dataset_inputs],
}
out["history"] = [
    (point.step, point.value) for point in client.get_metric_history(out["run"], "curve")
]
out["artifacts"] = sorted(one.path for one in client.list_artifacts(out["run"]))
out["note"] = mlflow.artifacts.load_text(f"runs:/{out['run']}/notes/note.txt")
with tempfile.TemporaryDirectory() as directory:
    path = mlflow.artifacts.download_artifacts(
        run_id=out["run"], artifact_path="notes", dst_path=directory
    )
    out["downloaded"] = sorted(os.listdir(path))

# Autolog, as it was then.
mlflow.sklearn.autolog()
with mlflow.start_run(run_name="auto") as auto:
    LogisticRegression(max_iter=250, C=2.0).fit(iris.data, iris.target)
mlflow.sklearn.autolog(disable=True)
out["autolog"] = client.get_run(auto.info.run_id).data.params["max_iter"]

# Searches, page by page.
found = client.search_runs(
    [experiment.experiment_id], "metrics.accuracy > 0.5 and tags.team = 'plants'"
)
out["found"] = [one.info.run_name for one in found]
page = client.search_runs([experiment.experiment_id], max_results=1, order_by=["start_time ASC"])
pages = [page[0].info.run_name]
while page.token:
    page = client.search_runs(
        [experiment.experiment_id],
        max_results=1,
        order_by=["start_time ASC"],
        page_token=page.token,
    )
    pages += [one.info.run_name for one in page]
out["pages"] = pages
out["experiments"] = [one.name for one in client.search_experiments(filter_string="name = 'older'")]

# Tracing: spans go to a file of the trace, which the client reads back.
from mlflow.entities import SpanType


@mlflow.trace(span_type=SpanType.RETRIEVER)
def retrieve(question):
    return [{"page_content": "Paris", "metadata": {"doc_uri": "s3://kb/france.md"}}]


@mlflow.trace(span_type=SpanType.CHAT_MODEL)
def complete(messages):
    mlflow.get_current_active_span().set_attributes({"gen_ai.request.model": "tiny"})
    return {"choices": [{"message": {"role": "assistant", "content": "Paris"}}]}


@mlflow.trace(name="ask", span_type=SpanType.AGENT)
def ask(question):
    retrieve(question)
    return complete([{"role": "user", "content": question}])


ask("capital?")
[trace] = client.search_traces([experiment.experiment_id])
out["trace"] = {
    "id": trace.info.request_id,
    "status": str(trace.info.status),
    "spans": [(one.name, one.span_type) for one in trace.data.spans],
}

# The registry: versions, stages, aliases, tags; loading back in every way.
client.set_registered_model_alias("older-iris", "champion", "1")
client.set_model_version_tag("older-iris", "1", "checked", "yes")
client.update_registered_model("older-iris", description="irises")
client.transition_model_version_stage("older-iris", "1", "Staging", archive_existing_versions=True)
version = client.get_model_version_by_alias("older-iris", "champion")
out["model_version"] = {
    "version": str(version.version),
    "run": version.run_id,
    "stage": version.current_stage,
    "tags": version.tags,
}
registered = mlflow.register_model(f"runs:/{out['run']}/model", "older-iris")
out["registered"] = str(registered.version)
expected = model.predict(iris.data).tolist()
out["predicts_alike"] = [
    mlflow.pyfunc.load_model(uri).predict(iris.data).tolist() == expected
    for uri in (
        "models:/older-iris@champion",
        "models:/older-iris/2",
        "models:/older-iris/Staging",
        f"runs:/{out['run']}/model",
    )
]
out["versions"] = sorted(
    str(one.version) for one in client.search_model_versions("name = 'older-iris'")
)
out["latest"] = [str(one.version) for one in client.get_latest_versions("older-iris", ["Staging"])]

out["refused"] = [
    refused(lambda: client.log_param(out["run"], "C", "other")),
    refused(lambda: client.get_run("0" * 32)),
    refused(lambda: client.create_experiment("older")),
    refused(lambda: client.create_registered_model("older-iris")),
]
client.delete_run(out["run"])
out["deleted"] = client.get_run(out["run"]).info.lifecycle_stage
client.restore_run(out["run"])

print("RESULT " + json.dumps(out))
