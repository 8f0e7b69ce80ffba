"""A store that goes on after an import: fills it, changes it in every way that clients can, or shows it.

Usage: import_again.py fill | change | ours | dump. The server is named by MLFLOW_TRACKING_URI. Prints JSON.
"""

import json
import logging
import os
import sys
import tempfile
import time

logging.getLogger("mlflow").setLevel(logging.ERROR)

import mlflow
import requests
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, Feedback
from mlflow.entities.webhook import WebhookEvent
from mlflow.genai import label_schemas, review_queues
from mlflow.genai.datasets import create_dataset, search_datasets
from mlflow.genai.scorers import Guidelines, delete_scorer

uri = os.environ["MLFLOW_TRACKING_URI"]
client = MlflowClient()
human = AssessmentSource(source_type="HUMAN", source_id="ada@example.org")
state = "import_again.json"


def api(method, path, body=None, version="3.0"):
    arguments = {"params": body} if method == "GET" else {"json": body}
    answer = requests.request(method, f"{uri}/api/{version}/mlflow/{path}", **arguments)
    answer.raise_for_status()
    return answer.json()


def issue(experiment, name, **more):
    body = {"experiment_id": experiment, "name": name, "description": f"about {name}", **more}
    return api("POST", "issues", body)["issue"]["issue_id"]


def chat(text):
    with mlflow.start_span(name=text) as span:
        span.set_inputs({"text": text})
    mlflow.flush_trace_async_logging()
    return mlflow.get_last_active_trace_id()


def guidelines(text, experiment, name="kind"):
    return Guidelines(name=name, guidelines=[text], model="openai:/m").register(experiment_id=experiment)


def fill():
    experiment = mlflow.set_experiment("ongoing").experiment_id
    client.set_experiment_tag(experiment, "stage", "first")
    renamed = client.create_experiment("to be renamed", tags={"a": "1"})
    deleted = client.create_experiment("to be deleted")
    back = client.create_experiment("to be restored")
    client.delete_experiment(back)
    runs = {}
    for name in ("running", "done", "gone", "back", "named"):
        run = client.create_run(experiment, run_name=name, tags={"kept": "yes", "changed": "old", "removed": "x"})
        runs[name] = run.info.run_id
        client.log_param(run.info.run_id, "p", name)
        client.log_metric(run.info.run_id, "m", 1.0, step=1)
    client.set_terminated(runs["done"], "FINISHED")
    client.delete_run(runs["back"])
    of_deleted = client.create_run(deleted).info.run_id
    model = client.create_logged_model(experiment, name="net", tags={"t": "old", "removed": "x"})
    client.create_registered_model("risk", tags={"owner": "a", "removed": "x"}, description="first")
    for number in range(3):
        client.create_model_version("risk", f"s3://b/{number}", tags={"n": str(number), "changed": "old"})
    client.create_registered_model("old name")
    client.create_model_version("old name", "s3://b/o")
    client.set_registered_model_alias("risk", "champion", "1")
    client.set_registered_model_alias("risk", "removed", "1")
    client.transition_model_version_stage("risk", "1", "Production")
    mlflow.register_prompt("greeting", "Hello {{name}}")
    mlflow.set_prompt_alias("greeting", "live", 1)
    traces = [chat(text) for text in ("one", "two", "three")]
    client.set_trace_tag(traces[0], "changed", "old")
    client.set_trace_tag(traces[0], "removed", "x")
    assessments = [
        mlflow.log_feedback(trace_id=traces[0], name=name, value=value, source=human, rationale="r").assessment_id
        for name, value in (("good", False), ("gone", 1), ("over", "no"))
    ]
    dataset = create_dataset(name="golden", experiment_id=experiment, tags={"of": "old", "removed": "x"})
    dataset.merge_records(
        [{"inputs": {"q": q}, "expectations": {"e": "old"}, "tags": {"t": "1"}} for q in ("one", "two", "gone")]
    )
    guidelines("Be kind.", experiment)
    guidelines("Be short.", experiment, "short")
    guidelines("Be brief.", experiment, "short")
    question = label_schemas.create_label_schema(
        name="correct",
        type="feedback",
        instruction="Look.",
        input=label_schemas.InputPassFail(positive_label="Right", negative_label="Wrong"),
        experiment_id=experiment,
    )
    for name, kind in (
        ("text", label_schemas.InputText()),
        ("number", label_schemas.InputNumeric(min_value=0, max_value=2.5)),
        ("choice", label_schemas.InputCategorical(options=["a", "é"], multi_select=True)),
    ):
        label_schemas.create_label_schema(name=name, type="expectation", input=kind, experiment_id=experiment)
    default = [one for one in label_schemas.list_label_schemas(experiment_id=experiment) if one.is_default][0]
    queue = review_queues.create_review_queue(
        name="Weekly",
        queue_type="custom",
        users=["Bob@example.org", "ada@example.org"],
        schema_ids=[question.schema_id, default.schema_id],
        experiment_id=experiment,
    )
    review_queues.add_items_to_review_queue(queue.queue_id, item_ids=traces)
    review_queues.set_review_queue_item_status(
        queue.queue_id, item_id=traces[0], status="complete", completed_by="bob@example.org"
    )
    own = review_queues.get_or_create_user_queue("Carol@example.org", experiment_id=experiment)
    review_queues.add_items_to_review_queue(own.queue_id, item_ids=traces[1:2])
    issues = [
        issue(experiment, "rude", severity="high", root_causes=["prompt"], categories=["tone", "é"],
              source_run_id=runs["done"], created_by="ada@example.org"),
        issue(experiment, "slow"),
    ]
    hook = client.create_webhook(
        "ci", "https://ci.example/x", [WebhookEvent("registered_model", "created"), WebhookEvent("model_version_alias", "created")],
        description="builds", secret="hush",
    )
    off = client.create_webhook("off", "https://ci.example/off", ["prompt.created"], status="DISABLED")
    made = {
        "experiments": {"ongoing": experiment, "renamed": renamed, "deleted": deleted, "back": back},
        "runs": runs, "of_deleted": of_deleted, "model": model.model_id, "traces": traces, "assessments": assessments,
        "dataset": dataset.dataset_id, "question": question.schema_id, "queue": queue.queue_id, "own": own.queue_id,
        "issues": issues, "webhooks": [hook.webhook_id, off.webhook_id],
    }
    with open(state, "w") as file:
        json.dump(made, file)
    return made


def change():
    with open(state) as file:
        made = json.load(file)
    time.sleep(0.05)
    experiments, runs, traces = made["experiments"], made["runs"], made["traces"]
    experiment = experiments["ongoing"]
    mlflow.set_experiment("ongoing")
    client.set_experiment_tag(experiment, "stage", "second")
    client.rename_experiment(experiments["renamed"], "renamed")
    client.delete_experiment(experiments["deleted"])
    client.restore_experiment(experiments["back"])
    client.set_tag(runs["running"], "changed", "new")
    client.set_tag(runs["running"], "added", "new")
    client.delete_tag(runs["running"], "removed")
    client.log_metric(runs["running"], "m", 2.0, step=2)
    client.set_terminated(runs["running"], "FAILED")
    client.set_terminated(runs["done"], "KILLED")
    client.delete_run(runs["gone"])
    client.restore_run(runs["back"])
    client.update_run(runs["named"], name="renamed run")
    client.set_logged_model_tags(made["model"], {"t": "new"})
    client.delete_logged_model_tag(made["model"], "removed")
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "weights.txt"), "w") as file:
            file.write("0.5")
        client.log_model_artifacts(made["model"], directory)
    client.finalize_logged_model(made["model"], "READY")
    client.update_registered_model("risk", "second")
    client.set_registered_model_tag("risk", "owner", "b")
    client.delete_registered_model_tag("risk", "removed")
    client.update_model_version("risk", "1", "described")
    client.set_model_version_tag("risk", "1", "changed", "new")
    client.delete_model_version_tag("risk", "1", "n")
    client.transition_model_version_stage("risk", "1", "Archived")
    client.transition_model_version_stage("risk", "3", "Production")
    client.set_registered_model_alias("risk", "champion", "3")
    client.delete_registered_model_alias("risk", "removed")
    client.create_model_version("risk", "s3://b/3")
    client.delete_model_version("risk", "2")
    client.rename_registered_model("old name", "new name")
    mlflow.register_prompt("greeting", "Hi {{name}}")
    mlflow.set_prompt_alias("greeting", "live", 2)
    traces.append(chat("four"))
    client.set_trace_tag(traces[0], "changed", "new")
    client.delete_trace_tag(traces[0], "removed")
    good, gone, over = made["assessments"]
    mlflow.update_assessment(traces[0], good, Feedback(name="good", value=True, rationale="better"))
    mlflow.delete_assessment(trace_id=traces[0], assessment_id=gone)
    mlflow.override_feedback(trace_id=traces[0], assessment_id=over, value="yes", source=human)
    dataset = search_datasets(experiment_ids=[experiment])[0]
    dataset.merge_records(
        [{"inputs": {"q": "one"}, "expectations": {"e": "new", "more": 1}}, {"inputs": {"q": "three"}, "tags": {"t": "3"}}]
    )
    records = json.loads(api("GET", f"datasets/{made['dataset']}/records")["records"])
    ids = [one["dataset_record_id"] for one in records if one["inputs"]["q"] == "gone"]
    dataset.delete_records(ids)
    api("PATCH", f"datasets/{made['dataset']}/tags", {"tags": json.dumps({"of": "new"})})
    api("DELETE", f"datasets/{made['dataset']}/tags/removed")
    api("POST", f"datasets/{made['dataset']}/add-experiments", {"experiment_ids": [experiments["renamed"]]})
    guidelines("Be very kind.", experiment)
    delete_scorer(name="short", experiment_id=experiment, version=1)
    label_schemas.update_label_schema(
        made["question"], name="right", instruction="Look twice.", enable_comment=True,
        input=label_schemas.InputPassFail(positive_label="Yes", negative_label="No"),
    )
    review_queues.set_review_queue_item_status(made["queue"], item_id=traces[0], status="pending")
    review_queues.set_review_queue_item_status(
        made["queue"], item_id=traces[1], status="declined", completed_by="ada@example.org"
    )
    review_queues.remove_items_from_review_queue(made["queue"], item_ids=[traces[2]])
    review_queues.add_items_to_review_queue(made["queue"], item_ids=[traces[3]])
    review_queues.update_review_queue(made["queue"], name="Monthly", users=["eve@example.org"])
    api("PATCH", f"issues/{made['issues'][0]}", {"issue_id": made["issues"][0], "status": "resolved", "severity": "low", "name": "ruder"})
    issue(experiment, "new")
    client.update_webhook(
        made["webhooks"][0], name="builds", description="new", url="https://ci.example/y", events=["prompt_version.created"]
    )
    return made


def ours():
    """Changes made at the new server to what was brought."""
    with open(state) as file:
        made = json.load(file)
    running = made["runs"]["running"]
    client.set_experiment_tag(made["experiments"]["ongoing"], "stage", "ours")
    client.set_tag(running, "changed", "ours")
    client.set_terminated(running, "FINISHED", end_time=client.get_run(running).info.end_time)
    client.update_registered_model("risk", "ours")
    client.transition_model_version_stage("risk", "1", "Staging")
    client.set_registered_model_alias("risk", "champion", "4")
    client.set_trace_tag(made["traces"][0], "changed", "ours")
    api("PATCH", f"datasets/{made['dataset']}/tags", {"tags": json.dumps({"of": "ours"})})
    label_schemas.update_label_schema(made["question"], name="ours")
    review_queues.update_review_queue(made["queue"], name="Ours")
    api("PATCH", f"issues/{made['issues'][0]}", {"issue_id": made["issues"][0], "status": "pending"})
    client.update_webhook(made["webhooks"][0], name="ours")
    return made


def pairs(of):
    return sorted([one["key"], one["value"]] for one in of or [])


def run_of(run):
    run = api("GET", "runs/get", {"run_id": run}, "2.0")["run"]
    return {"info": run["info"], "tags": pairs(run["data"].get("tags")), "metrics": run["data"].get("metrics")}


def version_of(version):
    names = ("version", "description", "current_stage", "status", "source", "creation_timestamp", "aliases")
    return {**{name: version.get(name) for name in names}, "tags": pairs(version.get("tags"))}


def model_of(model, prompt):
    is_prompt = " AND tags.`mlflow.prompt.is_prompt` = 'true'" if prompt else ""
    found = api("GET", "model-versions/search", {"filter": f"name = '{model['name']}'{is_prompt}"}, "2.0")
    return {
        **{name: model.get(name) for name in ("name", "description", "creation_timestamp")},
        "aliases": sorted((one["alias"], one["version"]) for one in model.get("aliases", [])),
        "tags": pairs(model.get("tags")),
        "versions": sorted((version_of(one) for one in found.get("model_versions", [])), key=lambda one: int(one["version"])),
    }


def trace_of(info):
    tags = {k: v for k, v in info.get("tags", {}).items() if k not in ("mlflow.artifactLocation", "mlflow.trace.spansLocation")}
    return {
        "state": info["state"],
        "tags": tags,
        "assessments": sorted(info.get("assessments", []), key=lambda one: one["assessment_id"]),
    }


def dataset_of(dataset):
    answer = api("GET", f"datasets/{dataset['dataset_id']}/records")
    dataset["tags"] = json.loads(dataset.get("tags") or "{}")
    return {
        **dataset,
        "experiment_ids": sorted(api("GET", f"datasets/{dataset['dataset_id']}/experiment-ids").get("experiment_ids", [])),
        "records": sorted(json.loads(answer["records"]), key=lambda one: one["dataset_record_id"]),
    }


def queue_of(queue, default):
    items = api("GET", "review-queues/items/list", {"queue_id": queue["queue_id"]}).get("items", [])
    ids = ["default" if one in default else one for one in queue.get("schema_ids", [])]
    return {**queue, "schema_ids": sorted(ids), "items": sorted(items, key=lambda one: one["item_id"])}


def review_of(experiment):
    ours = {"experiment_id": experiment}
    schemas = api("GET", "label-schemas/list", ours)["label_schemas"]
    default = [one["schema_id"] for one in schemas if one.get("is_default")]
    queues = api("GET", "review-queues/list", ours).get("review_queues", [])
    return {
        "issues": sorted(api("POST", "issues/search", ours).get("issues", []), key=lambda one: one["issue_id"]),
        "schemas": sorted((one for one in schemas if not one.get("is_default")), key=lambda one: one["schema_id"]),
        "queues": sorted((queue_of(one, default) for one in queues), key=lambda one: one["queue_id"]),
    }


def scorers_of(experiment):
    found = api("GET", "scorers/list", {"experiment_id": experiment}).get("scorers", [])
    ours = [{"experiment_id": experiment, "name": one["scorer_name"]} for one in found]
    return [api("GET", "scorers/versions", one)["scorers"] for one in ours]


def hook_of(hook):
    events = sorted(hook["events"], key=lambda one: (one["entity"], one["action"]))
    return {**hook, "events": events, "status": "DISABLED"}


def dump():
    experiments = api("POST", "experiments/search", {"view_type": "ALL", "max_results": 100}, "2.0")["experiments"]
    ids = [one["experiment_id"] for one in experiments]
    runs = api("POST", "runs/search", {"experiment_ids": ids, "run_view_type": "ALL", "max_results": 100}, "2.0")["runs"]
    prompts = {"filter": "tags.`mlflow.prompt.is_prompt` = 'true'"}
    models = [
        model_of(one, prompt)
        for prompt, body in ((False, {}), (True, prompts))
        for one in api("GET", "registered-models/search", body, "2.0").get("registered_models", [])
    ]
    active = sorted(one["experiment_id"] for one in experiments if one["lifecycle_stage"] == "active")
    locations = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": one}} for one in active]
    traces = api("POST", "traces/search", {"locations": locations, "max_results": 100})["traces"]
    logged = api("POST", "logged-models/search", {"experiment_ids": active}, "2.0").get("models", [])
    hooks = api("GET", "webhooks", {}, "2.0").get("webhooks", [])
    return {
        "experiments": sorted(
            [one["experiment_id"], one["name"], one["lifecycle_stage"], pairs(one.get("tags"))] for one in experiments
        ),
        "runs": {one["info"]["run_id"]: run_of(one["info"]["run_id"]) for one in runs},
        "models": sorted(models, key=lambda one: one["name"]),
        "logged": [[one["info"]["model_id"], one["info"]["status"], pairs(one["info"].get("tags"))] for one in logged],
        "traces": {one["trace_id"]: trace_of(one) for one in traces},
        "datasets": [dataset_of(one) for one in api("POST", "datasets/search", {})["datasets"]],
        "scorers": [scorers_of(one) for one in active],
        "review": [review_of(one) for one in active],
        # Those that are brought are switched off.
        "webhooks": sorted((hook_of(one) for one in hooks), key=lambda one: one["webhook_id"]),
    }


print("RESULT " + json.dumps({"fill": fill, "change": change, "ours": ours, "dump": dump}[sys.argv[1]](), default=str))
