"""Traces, evaluation datasets, scorers and webhooks for an import: fills a store, or shows one.

Usage: import_genai.py fill | dump. The store is named by MLFLOW_TRACKING_URI. Prints JSON.
"""

import json
import logging
import sys
import time

logging.getLogger("mlflow").setLevel(logging.ERROR)

import mlflow
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, Document, SpanType, TraceLocation
from mlflow.genai.datasets import create_dataset, get_dataset, search_datasets

client = MlflowClient()


def fill():
    out = {}
    experiment = mlflow.set_experiment("chat")
    prompt = mlflow.genai.load_prompt("prompts:/greeting/1")

    @mlflow.trace(span_type=SpanType.RETRIEVER)
    def retrieve(question):
        return [Document(page_content="p", metadata={"doc_uri": "s3://kb/a.md", "chunk_id": 7})]

    @mlflow.trace(span_type=SpanType.CHAT_MODEL, attributes={"mlflow.llm.model": "m-1", "mlflow.llm.provider": "acme"})
    def ask(question, n=1.0):
        span = mlflow.get_current_active_span()
        span.set_attribute(
            "mlflow.chat.tokenUsage", {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
        )
        span.set_attributes({"number": 1.5, "whole": 2, "yes": True, "list": [1, "two"], "text": '["not a list"]'})
        return {"answer": "ünïcode 漢", "n": n}

    @mlflow.trace(name="chat", span_type=SpanType.CHAIN)
    def chat(question):
        mlflow.update_current_trace(
            tags={"team": "risk"},
            metadata={"mlflow.trace.session": "s-1", "mlflow.trace.user": "ada@example.org"},
            client_request_id="req-" + question,
        )
        retrieve(question)
        return ask(question)

    ids = []
    for question in ["one", "two", "three"]:
        chat(question)
        ids.append(mlflow.get_last_active_trace_id())
    try:
        with mlflow.start_span("fails") as span:
            span.set_inputs({"x": 1})
            raise ValueError("no")
    except ValueError:
        ids.append(mlflow.get_last_active_trace_id())
    with mlflow.start_run(run_name="evaluation") as run:
        run_id = run.info.run_id
        with mlflow.start_span("in a run"):
            pass
        ids.append(mlflow.get_last_active_trace_id())
    mlflow.flush_trace_async_logging()
    out["traces"] = ids
    human = AssessmentSource(source_type="HUMAN", source_id="ada@example.org")
    first = mlflow.log_feedback(
        trace_id=ids[0], name="good", value=False, source=human, rationale="why", metadata={"k": "v"}
    )
    mlflow.override_feedback(trace_id=ids[0], assessment_id=first.assessment_id, value=True, source=human)
    mlflow.log_feedback(trace_id=ids[1], name="score", value=0.25, source=AssessmentSource("CODE", "f"))
    mlflow.log_feedback(trace_id=ids[1], name="broken", error=ValueError("judge failed"))
    mlflow.log_expectation(trace_id=ids[1], name="expected", value={"a": [1, 2.5, None]}, source=human)
    client.link_traces_to_run(ids[:2], run_id)
    client.link_prompt_versions_to_trace([prompt], ids[0])
    client.set_trace_tag(ids[2], "later", "tag")
    client.delete_trace_tag(ids[2], "team")

    dataset = create_dataset(name="golden", experiment_id=experiment.experiment_id, tags={"of": "chat"})
    dataset.merge_records(
        [
            {"inputs": {"q": "one", "n": 1.0}, "outputs": {"a": 1}, "expectations": {"e": "x"}},
            {"inputs": {"q": "two"}, "outputs": "text", "tags": {"hard": "yes"}},
            {"inputs": {"q": "big", "i": 12345678901234567890}},
        ]
    )
    dataset.merge_records(mlflow.search_traces(locations=[experiment.experiment_id], max_results=2))
    time.sleep(0.01)
    dataset.merge_records([{"inputs": {"q": "one", "n": 1.0}, "expectations": {"late": True}}])
    create_dataset(name="empty")
    out["dataset"] = dataset.dataset_id

    from mlflow.genai.scorers import Guidelines

    for text in ["Be kind.", "Be kind and short."]:
        Guidelines(name="kind", guidelines=[text], model="openai:/m").register(
            experiment_id=experiment.experiment_id
        )
    return out


def assessment(a):
    d = a.to_dictionary()
    d.pop("trace_id", None)
    if "expectation" in d:
        d.pop("valid", None)  # lost on the way from a server
    return d


def span(s):
    d = s.to_dict()
    d["attributes"] = {k: json.loads(v) for k, v in d["attributes"].items()}
    return d


def trace(t):
    i = t.info
    tags = {k: v for k, v in i.tags.items() if k not in ("mlflow.artifactLocation", "mlflow.trace.spansLocation")}
    return {
        "info": [
            i.trace_id, i.experiment_id, i.request_time, i.execution_duration, str(i.state),
            i.client_request_id, i.request_preview, i.response_preview,
        ],
        "tags": tags,
        "metadata": {k: usage(k, v) for k, v in i.trace_metadata.items()},
        "assessments": sorted((assessment(a) for a in i.assessments), key=lambda a: a["assessment_id"]),
        "spans": sorted((span(s) for s in t.data.spans), key=lambda s: s["span_id"]),
    }


def usage(key, value):
    return json.loads(value) if key in ("mlflow.trace.tokenUsage", "mlflow.trace.cost") else value


def dataset(d):
    d = get_dataset(dataset_id=d.dataset_id)
    whole = d.to_dict() if hasattr(d, "to_dict") else {}
    frame = d.to_df()
    return {
        "info": [d.dataset_id, d.name, d.digest, d.tags, d.schema, d.profile, sorted(d.experiment_ids)],
        "times": [d.created_time, d.last_update_time, d.created_by, d.last_updated_by],
        "records": sorted(frame.to_json(orient="records", lines=True).splitlines()),
        "known": sorted(whole)[:3] and len(whole.get("records") or []),
    }


def scorers():
    store = mlflow.tracking._tracking_service.utils._get_store()
    found = []
    for each in client.search_experiments():
        for s in store.list_scorers(each.experiment_id):
            for v in store.list_scorer_versions(each.experiment_id, s.scorer_name):
                found.append([each.experiment_id, v.scorer_id, v.scorer_name, v.scorer_version, v.creation_time, str(v._serialized_scorer)])
    return sorted(found, key=str)


def dump():
    ids = [e.experiment_id for e in client.search_experiments()]
    traces = client.search_traces(locations=ids, max_results=500)
    runs = [r.info.run_id for r in client.search_runs(ids)]
    linked = {
        run: sorted(
            t.info.trace_id
            for t in client.search_traces(locations=ids, filter_string=f"attributes.run_id = '{run}'")
        )
        for run in runs
    }
    by_prompt = client.search_traces(locations=ids, filter_string="prompt = 'greeting/1'")
    return {
        "traces": {t.info.trace_id: trace(t) for t in traces},
        "linked": linked,
        "by_prompt": sorted(t.info.trace_id for t in by_prompt),
        "datasets": sorted((dataset(d) for d in search_datasets()), key=str),
        "scorers": scorers(),
    }


print("RESULT " + json.dumps(fill() if sys.argv[1] == "fill" else dump(), default=str))
