"""A run with a file, traces and their assessments by a client before 3.4, for an import. Prints JSON."""

import json
import logging

logging.getLogger("mlflow").setLevel(logging.ERROR)

import mlflow
from mlflow import MlflowClient

client = MlflowClient()
experiment = mlflow.set_experiment("older")
with mlflow.start_run(run_name="old") as run:
    mlflow.log_param("C", 1)
    for step in range(3):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_text("a note", "note.txt")


@mlflow.trace(span_type="CHAT_MODEL", attributes={"mlflow.llm.model": "m-1"})
def ask(question):
    return {"answer": "ünïcode", "n": 1.5}


@mlflow.trace(span_type="CHAIN")
def chat(question):
    return ask(question)


chat("one")
try:
    with mlflow.start_span("fails") as span:
        raise ValueError("no")
except ValueError:
    pass
if hasattr(mlflow, "flush_trace_async_logging"):
    mlflow.flush_trace_async_logging()
traces = client.search_traces(experiment_ids=[experiment.experiment_id])
out = {"version": mlflow.__version__, "run": run.info.run_id, "traces": {}}
for trace in traces:
    id = getattr(trace.info, "trace_id", None) or trace.info.request_id
    client.set_trace_tag(id, "seen", "yes")
    out["traces"][id] = [
        {
            "name": span.name,
            "span": span.span_id.removeprefix("0x"),
            "parent": span.parent_id and span.parent_id.removeprefix("0x"),
            "start": span.start_time_ns,
            "end": span.end_time_ns,
            "inputs": span.inputs,
            "outputs": span.outputs,
        }
        for span in trace.data.spans
    ]
print("RESULT " + json.dumps(out))
