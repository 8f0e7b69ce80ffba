"""Makes the same traces on a server, and asks it for numbers about them; prints the answers as JSON.

The server is the first argument. Spans go as OTLP, for that is what both servers read.
"""

import itertools
import json
import random
import sys
import time

import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

base = sys.argv[1]
firstMs = 1_700_000_000_000
session = requests.Session()


def call(path, body, prefix="3.0"):
    answer = session.post(f"{base}/api/{prefix}/mlflow/{path}", json=body)
    answer.raise_for_status()
    return answer.json()


def add_spans(experiment, number, start, dice):
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for index in range(dice.randrange(1, 4)):
        span = scope.spans.add()
        span.trace_id = number.to_bytes(16, "big")
        span.span_id = (number * 10 + index + 1).to_bytes(8, "big")
        if index > 0:
            span.parent_span_id = (number * 10 + 1).to_bytes(8, "big")
        span.name = ["ask", "retrieve", "chat"][index]
        # Whole microseconds: that is what ours keeps of the times of spans.
        span.start_time_unix_nano = (start + index * 3) * 1_000_000 + dice.randrange(1000) * 1000
        span.end_time_unix_nano = span.start_time_unix_nano + dice.randrange(5_000_000) * 1000
        span.status.code = dice.choice([0, 1, 2])
        attributes = {}
        if dice.random() < 0.7:
            attributes["mlflow.spanType"] = ["AGENT", "RETRIEVER", "CHAT_MODEL"][index]
        if index == 2:
            one, two = dice.randrange(100), dice.randrange(50)
            usage = {"input_tokens": one, "output_tokens": two, "total_tokens": one + two}
            if dice.random() < 0.5:
                usage["cache_read_input_tokens"] = 3
            cost = {"input_cost": one * 1e-5, "output_cost": two * 2e-5}
            cost["total_cost"] = cost["input_cost"] + cost["output_cost"]
            attributes["mlflow.chat.tokenUsage"] = json.dumps(usage)
            attributes["mlflow.llm.cost"] = json.dumps(cost)
            attributes["mlflow.llm.model"] = dice.choice(["tiny", "big"])
            if dice.random() < 0.6:
                attributes["mlflow.llm.provider"] = "acme"
        for key, value in attributes.items():
            attribute = span.attributes.add()
            attribute.key = key
            attribute.value.string_value = value
    headers = {"content-type": "application/x-protobuf", "x-mlflow-experiment-id": experiment}
    body = request.SerializeToString()
    session.post(f"{base}/v1/traces", data=body, headers=headers).raise_for_status()


def report(experiment, run, number, start, dice):
    metadata = {}
    if number % 4 == 0:
        metadata["mlflow.trace.session"] = f"s{number % 5}"
    if number % 5 == 0:
        metadata["mlflow.sourceRun"] = run
    if number % 6 == 0:
        metadata["mlflow.trace.user"] = "alice"
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start // 1000))
    info = {
        "trace_id": f"tr-{number:032x}",
        "trace_location": {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": experiment},
        },
        "request_time": f"{second}.{start % 1000:03d}Z",
        "execution_duration": f"{dice.randrange(9000) / 1000}s",
        "state": dice.choice(["OK", "ERROR", "IN_PROGRESS"]),
        "trace_metadata": metadata,
        "tags": {"mlflow.traceName": f"n{number % 3}", "team": f"t{number % 2}"},
    }
    call("traces", {"trace": {"trace_info": info}})


def assess(number, dice):
    path = f"traces/tr-{number:032x}/assessments"
    human = {"source_type": "HUMAN", "source_id": "bob"}
    for index in range(dice.randrange(3)):
        value = {"value": dice.choice([True, False, "yes", "no", 3, 4.5, "good", 7])}
        kind = {"feedback": value} if number % 2 else {"expectation": value}
        name = dice.choice(["right", "tone"])
        made = call(path, {"assessment": {"assessment_name": name, "source": human, **kind}})
        if index == 1:
            over = made["assessment"]["assessment_id"]
            instead = {"assessment_name": name, "source": human, "overrides": over}
            call(path, {"assessment": {**instead, "feedback": {"value": "yes"}}})


def populate():
    dice = random.Random(5)
    experiment = call("experiments/create", {"name": "metrics"}, "2.0")["experiment_id"]
    run = call("runs/create", {"experiment_id": experiment}, "2.0")["run"]["info"]["run_id"]
    for number in range(1, 41):
        start = firstMs + number * 977_000
        add_spans(experiment, number, start, dice)
        if number % 3:
            report(experiment, run, number, start, dice)
        assess(number, dice)
        if number % 7 == 0:
            link = {"trace_ids": [f"tr-{number:032x}"], "run_id": run}
            call("traces/link-to-run", link, "2.0")
    return experiment, run


tokens = ["input", "output", "total", "cache_read_input", "cache_creation_input"]
models = ["span_model_name", "span_model_provider"]
spread = ["AVG", "MIN", "MAX", "PERCENTILE"]
views = {
    "TRACES": {
        "trace_count": (["COUNT"], ["trace_name", "trace_status"]),
        "session_count": (["COUNT"], []),
        "latency": (spread, ["trace_name"]),
        **{f"{name}_tokens": ([*spread, "SUM"], ["trace_name"]) for name in tokens},
    },
    "SPANS": {
        "span_count": (["COUNT"], ["span_name", "span_type", "span_status", *models]),
        "latency": (spread, ["span_name", "span_status"]),
        **{f"{name}_cost": ([*spread, "SUM"], models) for name in ("input", "output", "total")},
    },
    "ASSESSMENTS": {
        "assessment_count": (["COUNT"], ["assessment_name", "assessment_value"]),
        "assessment_value": (spread, ["assessment_name"]),
    },
}
times = [
    {},
    {"start_time_ms": firstMs + 5_000_000},
    {"end_time_ms": firstMs + 19_540_000},
    {"max_results": 2},
    {"max_results": 0},
    {"page_token": "x"},
    {"time_interval_seconds": 60},
    *(
        {"time_interval_seconds": width, "start_time_ms": firstMs, "end_time_ms": firstMs * 2}
        for width in (777, 3600, 86400)
    ),
]
filters = [
    ["trace.status = 'OK'"],
    ["trace.tag.team = 't1'"],
    ["trace.tag.`mlflow.traceName` = 'n1'"],
    ['trace.tag."team" = "t0"'],
    ["trace.metadata.mlflow.trace.session = 's3'"],
    ["trace.metadata.mlflow.sourceRun = '{run}'"],
    ["trace.metadata.mlflow.trace.user = 'alice'"],
    ["trace.status = 'ERROR'", "trace.tag.team = 't0'"],
    ["span.name = 'chat'"],
    ["span.status = 'ERROR'"],
    ["span.type = 'AGENT'"],
    ["assessment.name = 'right'"],
    ["assessment.type = 'feedback'"],
    ["trace.status != 'OK'"],
    ["trace.foo = 'x'"],
    ["foo.status = 'x'"],
    ["trace.tag = 'x'"],
    ["trace.status.x = 'y'"],
    ["status = 'OK'"],
    ["trace.status = OK"],
    ["trace.status = 3"],
    ["trace.status = 'OK' AND trace.tag.team = 't1'"],
    [""],
]


def aggregations(names):
    for name in names:
        for percent in (0, 33, 50, 99.9, 100) if name == "PERCENTILE" else (None,):
            more = {} if percent is None else {"percentile_value": percent}
            yield {"aggregation_type": name, **more}


def questions(run):
    for view, metrics in views.items():
        for metric, (names, dimensions) in metrics.items():
            body = {"view_type": view, "metric_name": metric}
            body["aggregations"] = list(aggregations(names))
            for count in range(len(dimensions) + 1):
                for some in itertools.combinations(dimensions, count):
                    for when in times:
                        yield {**body, "dimensions": some, **when}
            for each in filters:
                told = [text.replace("{run}", run) for text in each]
                yield {**body, "dimensions": dimensions[:1], "filters": told}
    count = {"view_type": "TRACES", "metric_name": "trace_count"}
    yield {**count, "metric_name": "nope", "aggregations": [{}]}
    yield {**count, "aggregations": []}
    yield {**count, "aggregations": [{}, {"aggregation_type": "SUM"}]}
    yield {**count, "aggregations": [{}], "dimensions": ["zzz", "span_name"]}


def rounded(value):
    """Sums of doubles depend on their order in the last digits."""
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


experiment, run = populate()
answers = []
for question in questions(run):
    body = {"experiment_ids": [experiment], **question}
    reply = session.post(f"{base}/api/3.0/mlflow/traces/metrics", json=body)
    answer = reply.json()
    said = answer.get("message") or rounded(answer.get("data_points", []))
    asked = json.dumps(question).replace(run, "RUN")
    answers.append({"asked": asked, "status": reply.status_code, "said": said})
print("RESULT " + json.dumps(answers))
