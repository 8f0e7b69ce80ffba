"""What a user of mlflow.genai.evaluate does, with scorers in Python, without a model and without a network.

The tracking server is named by MLFLOW_TRACKING_URI. Prints what came out, as JSON.
"""

import json
import logging
import os

os.environ["MLFLOW_GENAI_EVAL_MAX_WORKERS"] = "2"
logging.disable(logging.WARNING)

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Feedback, SpanType
from mlflow.exceptions import MlflowException
from mlflow.genai import datasets, scorer
from mlflow.genai.scorers import Guidelines, get_scorer, list_scorers

out = {}
client = MlflowClient()
experiment = mlflow.set_experiment("evaluation").experiment_id
mlflow.genai.register_prompt(name="capitals", template="Name the capital of {{country}}")
model = mlflow.set_active_model(name="assistant-v1")
out["model"] = model.model_id

golden = datasets.create_dataset(name="capitals", experiment_id=[experiment])
golden.merge_records(
    [
        {"inputs": {"country": "France"}, "expectations": {"answer": "Paris"}},
        {"inputs": {"country": "Italy"}, "expectations": {"answer": "Rome"}},
        {"inputs": {"country": "Spain"}, "expectations": {"answer": "Madrid"}},
    ]
)
out["dataset"] = golden.dataset_id


@mlflow.trace(span_type=SpanType.RETRIEVER)
def retrieve(country):
    return [{"page_content": country, "metadata": {"doc_uri": f"s3://kb/{country.lower()}.md"}}]


@mlflow.trace(name="answer", span_type=SpanType.AGENT)
def answer(country):
    mlflow.genai.load_prompt("capitals", version=1)
    retrieve(country)
    return {"France": "Paris", "Italy": "Milan"}.get(country, "Madrid")


@scorer
def exact(outputs, expectations):
    return outputs == expectations["answer"]


@scorer
def length(outputs):
    return Feedback(value=len(outputs), rationale="counted")


@scorer
def fragile(inputs):
    if inputs["country"] == "Spain":
        raise ValueError("cannot judge Spain")
    return "yes"


result = mlflow.genai.evaluate(data=golden, predict_fn=answer, scorers=[exact, length, fragile])
out["run"] = result.run_id
out["metrics"] = result.metrics
run = client.get_run(result.run_id)
out["status"] = run.info.status
out["logged_metrics"] = run.data.metrics
out["inputs"] = [one.dataset.name for one in run.inputs.dataset_inputs]

traces = mlflow.search_traces(locations=[experiment], run_id=result.run_id, return_type="list")
out["traces"] = sorted(
    (
        {
            "country": json.loads(one.data.request)["country"],
            "state": one.info.state.value,
            "spans": [(span.name, span.span_type) for span in one.data.spans],
            "assessments": sorted(
                (each.name, type(each).__name__, each.value, bool(each.error))
                for each in one.info.assessments
            ),
            "id": one.info.trace_id,
        }
        for one in traces
    ),
    key=lambda one: one["country"],
)
out["failed"] = [
    one.info.tags.get("mlflow.traceName")
    for one in mlflow.search_traces(
        locations=[experiment], filter_string="feedback.exact = 'false'", return_type="list"
    )
]

# Over traces that are there, with another scorer; the answers come from the traces.
again = mlflow.genai.evaluate(data=traces, scorers=[length])
out["again"] = {"metrics": again.metrics, "run": again.run_id}

# Scorers that come with MLflow are registered; those of code are refused, as by MLflow's server.
Guidelines(name="tone", guidelines=["Be polite"]).register(experiment_id=experiment)
out["registered"] = [one.name for one in list_scorers(experiment_id=experiment)]
out["guidelines"] = get_scorer(name="tone", experiment_id=experiment).guidelines
try:
    exact.register(name="exact", experiment_id=experiment)
except MlflowException as error:
    out["code"] = str(error)
# People review what the scorers saw: a question, a queue of a person, and an answer.
from mlflow.genai import label_schemas, review_queues

question = label_schemas.create_label_schema(
    name="correct",
    type="feedback",
    input=label_schemas.InputPassFail(positive_label="Right", negative_label="Wrong"),
    experiment_id=experiment,
)
queue = review_queues.create_review_queue(
    name="Weekly",
    queue_type="custom",
    users=["Bob@example.org"],
    schema_ids=[question.schema_id],
    experiment_id=experiment,
)
ids = [one["id"] for one in out["traces"]]
review_queues.add_items_to_review_queue(queue.queue_id, item_ids=ids)
review_queues.set_review_queue_item_status(
    queue.queue_id, item_id=ids[0], status="complete", completed_by="bob@example.org"
)
items = review_queues.list_review_queue_items(queue.queue_id)
out["review"] = {
    "schemas": sorted(one.name for one in label_schemas.list_label_schemas(experiment_id=experiment)),
    "queues": [one.name for one in review_queues.list_review_queues(user="BOB@example.org", experiment_id=experiment)],
    "users": review_queues.get_review_queue(queue_id=queue.queue_id).users,
    "items": {one.item_id: (one.status.value, one.completed_by) for one in items},
}
print("RESULT " + json.dumps(out))
