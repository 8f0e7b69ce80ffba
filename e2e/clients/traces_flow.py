"""What a user of MLflow's tracing and of plain OpenTelemetry does, without a network; prints what came out.

The tracking server is named by MLFLOW_TRACKING_URI, its key by MLFLOW_TRACKING_TOKEN.
"""

import json
import logging
import os

logging.disable(logging.WARNING)

import mlflow
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, Document, Feedback, SpanType
from mlflow.exceptions import MlflowException

out = {}
client = MlflowClient()


def refused(call):
    """The error code that a call is refused with."""
    try:
        call()
    except MlflowException as error:
        return error.error_code
    return None


experiment = mlflow.set_experiment("assistant")
mlflow.genai.register_prompt(name="qa", template="Answer {{question}}")
mlflow.genai.register_prompt(name="qa", template="Answer in one word: {{question}}")
model = mlflow.set_active_model(name="assistant-v1")


@mlflow.trace(span_type=SpanType.RETRIEVER)
def retrieve(question):
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    return [
        Document(page_content="Paris is in France", metadata={"doc_uri": "s3://kb/france.md"}),
        Document(page_content="Lyon too", metadata={"doc_uri": "s3://kb/lyon.md", "sha256": digest}),
        Document(page_content="no place", id="chunk-9"),
    ]


@mlflow.trace(span_type=SpanType.TOOL)
def count(words):
    return len(words)


@mlflow.trace(span_type=SpanType.CHAT_MODEL)
def complete(messages, temperature=0.2):
    """A language model that runs nowhere."""
    mlflow.get_current_active_span().set_attributes(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "acme",
            "gen_ai.request.model": "tiny",
            "gen_ai.response.model": "tiny-2025-01",
            "gen_ai.request.temperature": temperature,
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 2,
        }
    )
    return {"choices": [{"message": {"role": "assistant", "content": "Paris, bien sûr"}}]}


@mlflow.trace(name="ask", span_type=SpanType.AGENT)
def ask(question):
    prompt = mlflow.genai.load_prompt("qa", version=2)
    mlflow.update_current_trace(
        tags={"team": "geo"},
        metadata={"mlflow.trace.user": "alice@example.org", "mlflow.trace.session": "session-1"},
    )
    retrieve(question)
    count(question.split())
    return complete([{"role": "user", "content": prompt.format(question=question)}])


@mlflow.trace(name="broken")
def broken():
    raise ValueError("no answer")


with mlflow.start_run(run_name="evaluation") as run:
    ask("The capital of France?")
trace_id = mlflow.get_last_active_trace_id()
try:
    broken()
except ValueError:
    pass
broken_id = mlflow.get_last_active_trace_id()
mlflow.flush_trace_async_logging()

trace = mlflow.get_trace(trace_id)
out["trace_id"], out["run_id"], out["model_id"] = trace_id, run.info.run_id, model.model_id
out["state"] = str(trace.info.state)
out["spans"] = [[span.name, span.span_type] for span in trace.data.spans]
out["root"] = {"inputs": trace.data.spans[0].inputs, "outputs": trace.data.spans[0].outputs}
out["nanoseconds"] = all(span.start_time_ns % 1000 or span.end_time_ns % 1000 for span in trace.data.spans)
out["usage"] = trace.info.token_usage
out["metadata"] = {
    key: trace.info.trace_metadata.get(key)
    for key in ["mlflow.trace.user", "mlflow.trace.session", "mlflow.sourceRun", "mlflow.modelId"]
}
failed = mlflow.get_trace(broken_id)
out["broken"] = [str(failed.info.state), failed.data.spans[0].events[0].name]

human = AssessmentSource(source_type="HUMAN", source_id="bob@example.org")
feedback = mlflow.log_feedback(trace_id=trace_id, name="correct", value=True, rationale="yes", source=human)
mlflow.log_feedback(trace_id=trace_id, name="score", value=4.5)
mlflow.log_expectation(trace_id=trace_id, name="expected", value={"answer": "Paris"}, source=human)
mlflow.update_assessment(
    trace_id=trace_id, assessment_id=feedback.assessment_id, assessment=Feedback(name="correct", value=False)
)
override = mlflow.override_feedback(trace_id=trace_id, assessment_id=feedback.assessment_id, value=True)
assessments = {each.assessment_id: each for each in client.get_trace(trace_id).info.assessments}
out["feedback"] = [
    assessments[feedback.assessment_id].value,
    assessments[feedback.assessment_id].valid,
    assessments[feedback.assessment_id].source.source_id,
    assessments[override.assessment_id].value,
]
out["expectation"] = [each.value for each in assessments.values() if each.name == "expected"]
mlflow.delete_assessment(trace_id=trace_id, assessment_id=override.assessment_id)
out["valid_again"] = mlflow.get_assessment(trace_id, feedback.assessment_id).valid

client.set_trace_tag(trace_id, "reviewed", "yes")
client.set_trace_tag(trace_id, "gone", "soon")
client.delete_trace_tag(trace_id, "gone")
out["tags"] = {
    key: value
    for key, value in client.get_trace(trace_id).info.tags.items()
    if key in ("reviewed", "gone", "team", "mlflow.traceName", "mlflow.trace.spansLocation")
}


def search(text=None, **more):
    found = mlflow.search_traces(filter_string=text, return_type="list", **more)
    return [each.info.trace_id == trace_id for each in found]


out["searches"] = {
    "all": len(search()),
    "tag": search("tag.reviewed = 'yes'"),
    "person": search("metadata.`mlflow.trace.user` = 'alice@example.org'"),
    "feedback": search("feedback.score > 4"),
    "span": search("span.type = 'RETRIEVER' AND span.name LIKE 'retr%'"),
    "text": search("trace.text LIKE '%bien sûr%'"),
    "prompt": search("prompt = 'qa/2'"),
    "run": search(run_id=run.info.run_id),
    "model": search(model_id=model.model_id),
    "error": search("status = 'ERROR'"),
}
frame = mlflow.search_traces(filter_string="tag.reviewed = 'yes'")
out["frame"] = [frame.loc[0, "request"], len(frame.loc[0, "spans"])]
out["refused"] = [
    refused(lambda: mlflow.search_traces(filter_string="foo.bar = 'x'")),
    refused(lambda: client.set_trace_tag("tr-none", "a", "b")),
    refused(lambda: client.delete_trace_tag(trace_id, "never")),
]

# A trace of an experiment that is linked to a run later.
with mlflow.start_span(name="loose") as span:
    loose_id = span.trace_id
mlflow.flush_trace_async_logging()
client.link_traces_to_run([loose_id], run.info.run_id)
out["linked"] = len(search(run_id=run.info.run_id))
out["deleted"] = client.delete_traces(experiment.experiment_id, trace_ids=[loose_id])
out["after"] = refused(lambda: client.get_trace(loose_id))

# Plain OpenTelemetry, without MLflow's header: whatever framework made the spans.
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(
    resource=Resource.create({"service.name": "chat", "ml.model.version": "models:/assistant/7"})
)
exporter = OTLPSpanExporter(
    endpoint=f"{os.environ['MLFLOW_TRACKING_URI']}/v1/traces",
    headers={"authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"},
    compression=Compression.Gzip,
)
provider.add_span_processor(BatchSpanProcessor(exporter))
tracer = provider.get_tracer("plain")
with tracer.start_as_current_span("handle") as handle:
    handle.set_attribute("user.id", "carol@example.org")
    with tracer.start_as_current_span("chat tiny") as chat:
        chat.set_attribute("gen_ai.operation.name", "chat")
        chat.set_attribute("gen_ai.provider.name", "acme")
        chat.set_attribute("gen_ai.response.model", "tiny-2025-01")
        chat.set_attribute("gen_ai.request.temperature", 0.7)
out["flushed"] = provider.force_flush()
provider.shutdown()
out["plain_id"] = f"tr-{handle.get_span_context().trace_id:032x}"
# Traces of a run that also came out of a prompt: the prompt reached them, and the run.
mlflow.clear_active_model()
mlflow.genai.register_prompt("counted", "Q {{q}}")


@mlflow.trace
def counted(q):
    return mlflow.genai.load_prompt("counted", version=1).format(q=q)


with mlflow.start_run():
    for question in ("a", "b"):
        counted(question)
mlflow.flush_trace_async_logging()
print("RESULT " + json.dumps(out))
