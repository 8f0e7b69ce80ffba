"""Everything that a tracking server or database shows of experiments, runs and models, as JSON.

Usage: import_dump.py MODEL_URI...; the store is named by MLFLOW_TRACKING_URI. Each model is loaded and asked.
"""

import json
import logging
import math
import sys

logging.getLogger("mlflow").setLevel(logging.ERROR)

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import ViewType

client = MlflowClient()


def number(value):
    return str(value) if math.isnan(value) or math.isinf(value) else value


def history(run, key):
    points = [(p.timestamp, p.step, number(p.value)) for p in client.get_metric_history(run, key)]
    return sorted(points, key=str)


def dataset(each):
    d = each.dataset
    tags = sorted((t.key, t.value) for t in each.tags)
    return [d.name, d.digest, d.source_type, d.source, d.schema, d.profile, tags]


def run(each):
    info = each.info
    return {
        "info": [
            info.run_id, info.run_name, info.experiment_id, info.user_id, info.status,
            info.start_time, info.end_time, info.lifecycle_stage,
        ],
        "params": each.data.params,
        "tags": each.data.tags,
        "latest": {k: number(v) for k, v in each.data.metrics.items()},
        "history": {k: history(info.run_id, k) for k in each.data.metrics},
        "datasets": sorted((dataset(d) for d in each.inputs.dataset_inputs), key=str),
        "models": sorted(m.model_id for m in client.get_run(info.run_id).inputs.model_inputs),
        "outputs": sorted((m.model_id, m.step) for m in each.outputs.model_outputs) if each.outputs else [],
        "artifacts": files(info.run_id) if info.lifecycle_stage == "active" else None,
    }


def files(run_id, path=None):
    found = []
    for each in client.list_artifacts(run_id, path):
        found.extend(files(run_id, each.path) if each.is_dir else [(each.path, each.file_size)])
    return sorted(found)


def logged_model(m):
    metrics = [(p.key, p.timestamp, p.step, p.run_id, p.dataset_name, p.dataset_digest) for p in m.metrics or []]
    return {
        "info": [
            m.model_id, m.name, m.experiment_id, str(m.status), m.model_type or "", m.source_run_id,
            m.creation_timestamp, m.last_updated_timestamp,
        ],
        "params": m.params,
        "tags": m.tags,
        "metrics": sorted(metrics, key=str),
    }


def version(v):
    return {
        "info": [
            v.name, str(v.version), v.description, v.current_stage, v.run_id or "", v.creation_timestamp,
            v.last_updated_timestamp, v.status,
        ],
        "tags": v.tags,
    }


def registered(m, prompts):
    extra = " AND tags.`mlflow.prompt.is_prompt` = 'true'" if prompts else ""
    versions = client.search_model_versions(f"name = '{m.name}'{extra}")
    return {
        "info": [m.name, m.description, m.creation_timestamp, m.last_updated_timestamp],
        "tags": m.tags,
        "aliases": {alias: str(number) for alias, number in m.aliases.items()},
        "versions": sorted((version(v) for v in versions), key=str),
    }


experiments = client.search_experiments(view_type=ViewType.ALL)
ids = [e.experiment_id for e in experiments]
prompts = "tags.`mlflow.prompt.is_prompt` = 'true'"
out = {
    "experiments": sorted(
        (
            [e.experiment_id, e.name, e.lifecycle_stage, e.creation_time, e.last_update_time, e.tags]
            for e in experiments
            if e.experiment_id != "0"
        ),
        key=str,
    ),
    "runs": {r.info.run_id: run(r) for r in client.search_runs(ids, run_view_type=ViewType.ALL)},
    "found": [r.info.run_id for r in client.search_runs(ids, "metrics.loss < 0.5 AND params.C = '0.5'")],
    "logged_models": {m.model_id: logged_model(m) for m in client.search_logged_models(ids)},
    "registered": [registered(m, False) for m in client.search_registered_models()]
    + [registered(m, True) for m in client.search_registered_models(filter_string=prompts)],
}
frame = pd.DataFrame({"age": [20, 30, 40, 50], "income": [1.0, 2.0, 3.0, 4.0]})
out["predictions"] = [
    [float(p) for p in mlflow.sklearn.load_model(uri).predict(frame)] for uri in sys.argv[1:]
]
print("RESULT " + json.dumps(out))
