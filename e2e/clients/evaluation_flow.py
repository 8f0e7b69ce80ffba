"""What a user of MLflow's evaluation does: a classifier on a dataset, evaluation datasets, scorers.

The tracking server is named by MLFLOW_TRACKING_URI. Prints what came out, as JSON.
"""

import json
import logging
import os
import tempfile
import warnings

import matplotlib

matplotlib.use("Agg")
warnings.filterwarnings("ignore")
logging.getLogger("mlflow").setLevel(logging.ERROR)

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.genai import datasets
from mlflow.genai.judges import make_judge
from mlflow.genai.scorers import delete_scorer, get_scorer, list_scorers
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

out = {}
client = MlflowClient()


def refused(call):
    """The error code and text that a call is refused with."""
    try:
        call()
    except MlflowException as error:
        return {"code": error.error_code, "message": str(error)}
    return None


experiment = mlflow.set_experiment("evaluation").experiment_id
out["experiment"] = experiment

# A classifier, evaluated on a file by its logged model and by its registered version.
cancer = load_breast_cancer(as_frame=True)
data = cancer.frame.iloc[:, [0, 1, 2, 3, 30]]
features, target = data.columns[:-1], data.columns[-1]
with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "cancer.csv")
    data.to_csv(path, index=False)
    holdout = mlflow.data.from_pandas(data.tail(150), source=path, name="holdout", targets=target)
    with mlflow.start_run() as training:
        model = LogisticRegression(max_iter=2000).fit(data.head(400)[features], data.head(400)[target])
        info = mlflow.sklearn.log_model(
            model, name="model", input_example=data.head(2)[features], registered_model_name="cancer"
        )
    config = {"log_model_explainability": False}
    with mlflow.start_run() as run:
        result = mlflow.models.evaluate(
            info.model_uri, holdout, model_type="classifier", evaluator_config=config
        )
out["model"], out["run"] = info.model_id, run.info.run_id
out["digest"], out["path"] = holdout.digest, path
out["metrics"] = sorted(client.get_run(run.info.run_id).data.metrics)
out["inputs"] = [
    {"name": one.dataset.name, "digest": one.dataset.digest, "tags": {tag.key: tag.value for tag in one.tags}}
    for one in client.get_run(run.info.run_id).inputs.dataset_inputs
]
logged = client.get_logged_model(info.model_id)
out["model_metrics"] = sorted({(m.key, m.dataset_name, m.dataset_digest) for m in logged.metrics})

# An evaluation dataset, its records merged, read back, searched, tagged and deleted.
made = datasets.create_dataset(name="golden", experiment_id=experiment, tags={"team": "research"})
made.merge_records([
    {"inputs": {"question": "a"}, "expectations": {"answer": "A"}},
    {"inputs": {"question": "b", "score": 1.0}, "outputs": "B", "tags": {"level": "hard"}},
    {
        "inputs": {"question": "c"},
        "source": {"source_type": "DOCUMENT", "source_data": {"doc_uri": "s3://docs/c.md"}},
    },
])
made.merge_records([{"inputs": {"question": "a"}, "expectations": {"tone": "dry"}}])
made.merge_records(pd.DataFrame([{"inputs": {"question": "d"}, "expectations": {"answer": "D"}}]))
again = datasets.get_dataset(dataset_id=made.dataset_id)
frame = again.to_df()
out["dataset"] = {
    "id": again.dataset_id,
    "name": again.name,
    "digest": again.digest,
    "made_digest": made.digest,
    "tags": {key: value for key, value in again.tags.items() if key != "mlflow.user"},
    "schema": json.loads(again.schema),
    "profile": json.loads(again.profile),
    "experiments": again.experiment_ids,
    "user": again.created_by == again.last_updated_by != None,
}
out["records"] = [
    {
        "inputs": row.inputs,
        "outputs": row.outputs,
        "expectations": row.expectations,
        "source": row.source_type,
    }
    for row in sorted(frame.itertuples(), key=lambda row: row.inputs["question"])
]
out["float"] = type(next(row.inputs["score"] for row in frame.itertuples() if "score" in row.inputs)).__name__
by_name = datasets.get_dataset(name="golden")
out["by_name"] = by_name.dataset_id
other = datasets.create_dataset(name="silver", experiment_id=[])
out["search"] = {
    "all": sorted(one.name for one in datasets.search_datasets(experiment_ids=[])),
    "experiment": [one.name for one in datasets.search_datasets(experiment_ids=[experiment])],
    "filter": [one.name for one in datasets.search_datasets(experiment_ids=[], filter_string="name LIKE 'sil%'")],
    "tag": [one.name for one in datasets.search_datasets(experiment_ids=[], filter_string="tags.team = 'research'")],
    "order": [one.name for one in datasets.search_datasets(experiment_ids=[], order_by=["name DESC"])],
    "user": len(
        datasets.search_datasets(experiment_ids=[], filter_string=f"created_by = '{again.created_by}'")
    ),
}
datasets.add_dataset_to_experiments(dataset_id=other.dataset_id, experiment_ids=[experiment])
out["added"] = datasets.get_dataset(dataset_id=other.dataset_id).experiment_ids
datasets.remove_dataset_from_experiments(dataset_id=other.dataset_id, experiment_ids=[experiment])
out["removed"] = datasets.get_dataset(dataset_id=other.dataset_id).experiment_ids
datasets.set_dataset_tags(dataset_id=other.dataset_id, tags={"a": "1", "b": "2"})
datasets.delete_dataset_tag(dataset_id=other.dataset_id, key="a")
out["tags"] = {
    key: value
    for key, value in datasets.get_dataset(dataset_id=other.dataset_id).tags.items()
    if key != "mlflow.user"
}
gone = next(row.dataset_record_id for row in frame.itertuples() if row.inputs["question"] == "b")
out["deleted_records"] = again.delete_records([gone])
out["left"] = sorted(row.inputs["question"] for row in again.to_df().itertuples())
with mlflow.start_run() as reading:
    mlflow.log_input(datasets.get_dataset(dataset_id=made.dataset_id), context="evaluation")
out["reading"] = reading.info.run_id
out["now"] = datasets.get_dataset(dataset_id=made.dataset_id).digest
datasets.delete_dataset(dataset_id=other.dataset_id)
out["refused"] = {
    "gone": refused(lambda: datasets.get_dataset(dataset_id=other.dataset_id)),
    "mixed": refused(lambda: made.merge_records([{"inputs": {"goal": "x"}}])),
    "experiment": refused(
        lambda: datasets.add_dataset_to_experiments(dataset_id=made.dataset_id, experiment_ids=["999"])
    ),
    "filter": refused(lambda: datasets.search_datasets(experiment_ids=[], filter_string="colour = 'red'")),
}

# Scorers: registered in versions, listed, read back as objects, deleted.
judge = make_judge(
    name="polite", instructions="Is {{ outputs }} polite?", model="openai:/gpt-4", feedback_value_type=bool
)
judge.register(experiment_id=experiment)
make_judge(
    name="polite", instructions="Is {{ outputs }} very polite?", model="openai:/gpt-4", feedback_value_type=bool
).register(experiment_id=experiment)
out["scorers"] = [one.name for one in list_scorers(experiment_id=experiment)]
out["scorer_versions"] = [version for _, version in mlflow.genai.scorers.registry.list_scorer_versions(name="polite", experiment_id=experiment)]
out["scorer"] = get_scorer(name="polite", experiment_id=experiment, version=1).instructions
delete_scorer(name="polite", experiment_id=experiment, version="all")
out["scorers_left"] = [one.name for one in list_scorers(experiment_id=experiment)]
out["no_scorer"] = refused(lambda: get_scorer(name="polite", experiment_id=experiment))

print("RESULT " + json.dumps(out))
