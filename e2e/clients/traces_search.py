"""Puts the same traces into MLflow's own store and into the server, then asks both the same searches.

Prints what differs, as JSON. The server is named by MLFLOW_TRACKING_URI; MLflow's own answers come from
its SQL store over a file in the working directory.
"""

import json
import logging
import os

logging.disable(logging.WARNING)

import mlflow
from mlflow.entities import (
    AssessmentSource,
    Expectation,
    Feedback,
    Span,
    TraceInfo,
    TraceLocation,
    TraceState,
)
from mlflow.entities.model_registry import PromptVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking._tracking_service.utils import _get_store
from opentelemetry.sdk.trace import ReadableSpan, Resource
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

START_MS = 1_700_000_000_000


def span(trace, index, name, *, parent=None, kind=None, attributes=None, error=False, start=0):
    """A finished span of the trace with the number; values of attributes as MLflow dumps them."""
    context = SpanContext(trace, index, is_remote=False, trace_flags=TraceFlags(1))
    values = {"mlflow.traceRequestId": f"tr-{trace:032x}", **(attributes or {})}
    if kind:
        values["mlflow.spanType"] = kind
    begin = (START_MS + start) * 1_000_000
    return Span(
        ReadableSpan(
            name=name,
            context=context,
            parent=SpanContext(trace, parent, is_remote=False) if parent else None,
            start_time=begin,
            end_time=begin + 5_000_000,
            attributes={key: json.dumps(value, ensure_ascii=False) for key, value in values.items()},
            status=Status(StatusCode.ERROR if error else StatusCode.OK),
            resource=Resource.get_empty(),
        )
    )


def feedback(store, trace, name, value, **more):
    source = AssessmentSource(source_type="CODE", source_id="judge")
    store.create_assessment(
        Feedback(name=name, value=value, source=source, trace_id=trace, **more)
    )


def populate(store):
    """Twelve traces in two experiments. Returns the ids of the experiments and of a run."""
    first = store.create_experiment("search-a", None, None)
    second = store.create_experiment("search-b", None, None)
    run = store.create_run(first, "", START_MS, [], "r").info.run_id
    for number in range(1, 13):
        trace_id = f"tr-{number:032x}"
        experiment = first if number <= 9 else second
        start = number * 1_000
        root_type = ["CHAIN", "AGENT", "UNKNOWN"][number % 3]
        spans = [
            span(number, 1, f"root {number}", kind=root_type, start=start, error=number % 4 == 0,
                 attributes={"mlflow.spanInputs": {"q": f"question {number}"},
                             "mlflow.spanOutputs": f"answer {number * 7}"}),
            span(number, 2, "retrieve", parent=1, kind="RETRIEVER", start=start + 1,
                 attributes={"top": number, "index": "kb_main" if number % 2 else "kb-other"}),
        ]
        if number % 2:
            spans.append(
                span(number, 3, "llm call", parent=1, kind="CHAT_MODEL", start=start + 2,
                     attributes={"model": f"tiny-{number % 5}", "note": "héllo wörld", "temp": 0.5})
            )
        store.log_spans(experiment, spans)
        tags = {"team": ["red", "Blue", "green"][number % 3], "number": str(number)}
        if number != 5:
            tags["mlflow.traceName"] = f"Trace {'even' if number % 2 == 0 else 'odd'} {number}"
        if number == 7:
            tags["with space"] = "a 'quoted' value"
        metadata = {"mlflow.trace.session": f"s{number // 3}", "kind": "x" if number < 6 else "y"}
        if number == 3:
            metadata["mlflow.sourceRun"] = run
        if number == 4:
            metadata["mlflow.trace.tokenUsage"] = '{"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}'
        store.start_trace(
            TraceInfo(
                trace_id=trace_id,
                trace_location=TraceLocation.from_experiment_id(experiment),
                request_time=START_MS + start,
                execution_duration=None if number == 6 else number * 10,
                state=[TraceState.OK, TraceState.ERROR, TraceState.IN_PROGRESS][number % 3],
                client_request_id=f"req-{number}" if number % 2 else None,
                request_preview=f"question {number}",
                response_preview=f"answer {number * 7}",
                tags=tags,
                trace_metadata=metadata,
            )
        )
        if number % 2:
            feedback(store, trace_id, "correct", number % 3 == 0)
        if number % 3 == 0:
            feedback(store, trace_id, "score", number / 2)
        if number in (2, 8):
            feedback(store, trace_id, "verdict", "yes" if number == 2 else "no")
        if number == 1:
            feedback(store, trace_id, "session_ok", "fine",
                     metadata={"mlflow.trace.session": "s0"})
        if number == 10:
            store.create_assessment(
                Expectation(name="expected", value={"answer": 70}, trace_id=trace_id,
                            source=AssessmentSource(source_type="CODE", source_id="c")))
        if number == 11:
            store.create_assessment(
                Expectation(name="expected", value="seventy-seven", trace_id=trace_id,
                            source=AssessmentSource(source_type="CODE", source_id="c")))
    store.link_traces_to_run([f"tr-{2:032x}", f"tr-{9:032x}"], run)
    store.link_prompts_to_trace(f"tr-{4:032x}", [PromptVersion("qa", 2, "t")])
    return [first, second], run


FILTERS = [
    "",
    "status = 'OK'", "status != 'OK'", "trace.status = 'ERROR'", "attributes.status = 'ERROR'",
    "attribute.status IN ('OK', 'ERROR')", "status NOT IN ('OK')", "status LIKE 'E%'",
    "status ILIKE 'e%'", "status RLIKE '^(OK|ERR)'", "status = 'nothing'",
    "timestamp_ms > 1700000005000", "timestamp_ms >= 1700000005000", "timestamp < 1700000003000",
    "timestamp_ms = 1700000004000", "timestamp_ms != 1700000004000", "trace.timestamp_ms <= 1700000002000",
    "timestamp > 1700000002000 AND timestamp < 1700000006000", "attributes.timestamp_ms = '1700000004000'",
    "execution_time_ms > 50", "execution_time < 30", "trace.execution_time_ms = 40", "execution_time_ms != 40",
    "end_time_ms > 1700000009050", "end_time <= 1700000002020", "trace.end_time_ms = 1700000006000",
    "request_id = 'tr-00000000000000000000000000000001'",
    "request_id IN ('tr-00000000000000000000000000000001', 'tr-00000000000000000000000000000002')",
    "request_id NOT IN ('tr-00000000000000000000000000000001')", "request_id LIKE '%0c'", "request_id RLIKE 'c$'",
    "client_request_id = 'req-3'", "client_request_id != 'req-3'", "client_request_id LIKE 'req-1%'",
    "client_request_id IN ('req-1', 'req-11')", "client_request_id ILIKE 'REQ-%'",
    "name = 'Trace odd 1'", "trace.name = 'Trace odd 1'", "attributes.name LIKE 'Trace even%'", "name ILIKE 'trace ODD%'",
    "name != 'Trace odd 1'", "name RLIKE '(odd|even) 1'", "tags.`mlflow.traceName` = 'Trace even 2'",
    "tag.mlflow.traceName LIKE '%7'", "tags.`mlflow.traceName` IS NULL", "tags.`mlflow.traceName` IS NOT NULL",
    "tag.team = 'red'", "tags.team = 'red'", "tag.team != 'red'", "tag.team LIKE 'B%'", "tag.team LIKE 'b%'",
    "tag.team ILIKE 'b%'", "tag.team RLIKE '^[rg]'", "tag.team RLIKE 'e{2}'", "tag.missing = 'x'", "tag.missing != 'x'",
    "tag.missing IS NULL", "tag.team IS NOT NULL", "tag.`with space` = \"a 'quoted' value\"",
    "tag.number = '7'", "tag.number = \"7\"", "tags.\"with space\" LIKE '%quoted%'",
    "tag.team = 'red' AND status = 'OK'", "tag.team = 'red' and status = 'OK'", "tag.team = 'red' AND tag.number = '3'",
    "metadata.kind = 'x'", "request_metadata.kind = 'x'", "metadata.kind != 'x'", "metadata.kind LIKE 'y%'",
    "metadata.kind RLIKE '[xy]'", "metadata.none IS NULL", "metadata.kind IS NOT NULL",
    "metadata.`mlflow.trace.session` = 's1'", "metadata.mlflow.trace.session LIKE 's%'",
    "metadata.`mlflow.trace.session` IS NULL", "metadata.`mlflow.trace.session` RLIKE '[01]'",
    "metadata.`mlflow.trace.tokenUsage` IS NOT NULL", "metadata.`mlflow.trace.tokenUsage` IS NULL",
    "metadata.`mlflow.trace.tokenUsage` = '{\"input_tokens\": 3, \"output_tokens\": 4, \"total_tokens\": 7}'",
    "metadata.`mlflow.trace.tokenUsage` != 'x'", "metadata.`mlflow.trace.tokenUsage` LIKE '%3%'",
    "run_id = '{run}'", "attributes.run_id = '{run}'", "metadata.mlflow.sourceRun = '{run}'", "run_id != '{run}'",
    "run_id = 'none'", "prompt = 'qa/2'", "prompt = 'qa/3'", "prompt = 'qa'", "prompt LIKE 'qa%'", "trace.prompt = \"qa/2\"",
    "span.name = 'llm call'", "span.name LIKE 'root%'", "span.name ILIKE 'ROOT 1%'", "span.name != 'retrieve'",
    "span.name IN ('root 1', 'root 2')", "span.name NOT IN ('root 1', 'retrieve', 'llm call')", "span.name RLIKE '^root [12]$'",
    "span.type = 'CHAT_MODEL'", "span.type IN ('AGENT', 'CHAIN')", "span.type LIKE '%MODEL'", "span.status = 'ERROR'",
    "span.status != 'OK'", "span.type = 'RETRIEVER' AND span.name = 'llm call'", "span.type = 'CHAT_MODEL' AND span.name = 'llm call'",
    "span.type = 'CHAT_MODEL' AND status = 'OK'", "span.attributes.model LIKE '%tiny-1%'", "span.attributes.model ILIKE '%TINY-1%'",
    "span.attributes.index LIKE '%kb_main%'", "span.attributes.index RLIKE '^kb.other$'", "span.attributes.index RLIKE 'other'",
    "span.attributes.missing LIKE '%x%'", "span.attributes.model LIKE '%tiny%' AND span.name = 'llm call'",
    "span.attributes.model LIKE '%tiny%' AND span.name = 'retrieve'", "span.attributes.note LIKE '%wörld%'",
    "span.content LIKE '%question 3%'", "span.content ILIKE '%QUESTION 3%'", "trace.text LIKE '%answer 77%'", "trace.text LIKE '%answer 7%'",
    "trace.text ILIKE '%ANSWER 7%'", "trace.text LIKE '%héllo%'", "text LIKE '%nowhere%'", "trace.text = 'x'", "span.content RLIKE 'x'",
    "feedback.correct = 'true'", "feedback.correct = 'false'", "feedback.correct != 'true'", "feedback.correct IS NULL",
    "feedback.correct IS NOT NULL", "feedback.verdict = 'yes'", "feedback.verdict != 'yes'", "feedback.verdict LIKE '%ye%'",
    "feedback.verdict ILIKE '%NO%'", "feedback.verdict RLIKE 'y|n'", "feedback.score > 2", "feedback.score >= 3", "feedback.score < 3",
    "feedback.score <= 1.5", "feedback.score = '3.0'", "feedback.score = '1.5'", "feedback.score > '2'", "feedback.score = 2",
    "feedback.verdict > 1", "feedback.missing = 'x'", "feedback.session_ok = 'fine'", "feedback.session_ok IS NULL",
    "feedback.session_ok IS NOT NULL", "expectation.expected = 'seventy-seven'", "expectation.expected LIKE '%70%'",
    "expectation.expected IS NOT NULL", "expectation.expected != 'x'", "issue.id = 'i'", "issue.id != 'i'", "issue.name = 'i'",
    "feedback.correct = 'true' AND tag.team = 'red'", "feedback.correct = 'true' AND span.type = 'CHAT_MODEL'",
    "foo.bar = 'x'", "bar = 'x'", "status", "status =", "= 'OK'", "status = OK", "status > 'OK'", "timestamp_ms LIKE '1%'",
    "timestamp_ms = 1.5", "status = 3", "execution_time_ms IN ('1')", "tag.team IN ('red')", "tag.team > 'a'", "metadata.kind IN ('x')",
    "metadata.kind = 3", "span.foo = 'x'", "span.attributes. = 'x'", "span.name > 'x'", "span.name = 3", "status = 'OK' OR status = 'ERROR'",
    "status = 'OK'; status = 'ERROR'", "NOT status = 'OK'", "status IS NULL", "status = 'OK' status = 'ERROR'", "(status = 'OK')",
    "tag.team = 'red' AND", "AND tag.team = 'red'", "tag.team == 'red'", "status <> 'OK'",
]

ORDERS = [
    [], ["timestamp_ms"], ["timestamp ASC"], ["timestamp_ms DESC"], ["execution_time_ms"], ["execution_time DESC"],
    ["status", "timestamp_ms"], ["status DESC"], ["name"], ["name DESC"], ["tag.team"], ["tags.team DESC", "timestamp_ms ASC"],
    ["metadata.kind", "request_id DESC"], ["request_id"], ["experiment_id DESC", "timestamp_ms"], ["run_id"],
    ["metadata.`mlflow.trace.session` DESC"], ["tag.missing"], ["end_time"], ["foo"], ["foo.bar"], ["status up"],
    ["status", "status"], ["metadata.`mlflow.trace.tokenUsage`"], ["span.name"], ["feedback.correct"], ["client_request_id"],
]


def ask(store, experiments, run, text, order):
    try:
        found, _ = store.search_traces(
            experiment_ids=experiments, filter_string=text.replace("{run}", run) or None,
            max_results=100, order_by=order,
        )
        return [int(info.trace_id.removeprefix("tr-"), 16) for info in found]
    except MlflowException as error:
        return {"refused": error.error_code, "message": error.message[:300]}
    except Exception as error:
        return {"failed": type(error).__name__, "message": str(error)[:300]}


def pages(store, experiments, size):
    found, token = [], None
    for _ in range(20):
        page, token = store.search_traces(
            experiment_ids=experiments, max_results=size, order_by=["timestamp_ms"], page_token=token
        )
        found.append([int(info.trace_id.removeprefix("tr-"), 16) for info in page])
        if not token:
            break
    return found


own = _get_store(f"sqlite:///{os.path.abspath('own.db')}")
ours = _get_store(os.environ["MLFLOW_TRACKING_URI"])
own_ids, own_run = populate(own)
our_ids, our_run = populate(ours)
answers = [
    {"filter": text, "order": order, "mlflow": ask(own, own_ids, own_run, text, order),
     "ours": ask(ours, our_ids, our_run, text, order)}
    for text, order in [*[(text, []) for text in FILTERS], *[("", order) for order in ORDERS]]
]
for size in (1, 5, 12, 100):
    answers.append({"filter": f"pages of {size}", "order": [],
                    "mlflow": pages(own, own_ids, size), "ours": pages(ours, our_ids, size)})
print("RESULT " + json.dumps(answers))
