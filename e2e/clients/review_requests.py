"""Asks a server for all of issues, label schemas and review queues; prints the answers as JSON.

The server is the first argument. Ids become symbols in the order in which they come, times one word.
"""

import json
import re
import sys

import requests

base = sys.argv[1]
session = requests.Session()
answers = []
symbols = {}


def symbol(match):
    return symbols.setdefault(match.group(0), f"<{match.group(1) or 'id'}{len(symbols)}>")


def shown(value, key=""):
    if re.search(r"time|created_at|updated_at", key):
        return "<now>"
    if key == "next_page_token":
        return "<token>"
    if isinstance(value, dict):
        # MLflow sends an empty token where there is no further page.
        left = {key: each for key, each in value.items() if key != "next_page_token" or each}
        for name in ("sqlstate", "error_class"):
            left.pop(name, None)
        return {key: shown(each, key) for key, each in left.items()}
    if isinstance(value, list):
        # MLflow gives the questions of a queue in the order of their ids, which are made by chance.
        items = [shown(each) for each in value]
        return sorted(items) if key == "schema_ids" else items
    if isinstance(value, str):
        if key == "experiment_id":
            return {experiment: "<experiment>", other: "<other>"}.get(value, value)
        value = value.replace(f"experiment '{experiment}'", "experiment '<experiment>'")
        # A set is written in another order by each process of Python.
        value = re.sub(
            r"\{('[^{}]*')\}", lambda found: "{" + ", ".join(sorted(found[1].split(", "))) + "}", value
        )
        return re.sub(r"\b(iss|ls|rq)-[0-9a-z-]{3,40}\b|\b[0-9a-f]{32}\b", symbol, value)
    return value


def ask(method, path, body=None, expected=None):
    """Sends one request; a GET as its query."""
    sent = {"params": body} if method == "GET" else {"json": body}
    reply = session.request(method, f"{base}/api/3.0/mlflow/{path}", **sent)
    answer = reply.json()
    asked = f"{method} {shown(path)} {json.dumps(shown(body))}"
    answers.append({"asked": asked, "status": reply.status_code, "said": shown(answer)})
    return answer


def made(path, name, body):
    return session.post(f"{base}/api/2.0/mlflow/{path}", json=body).json()[name]


def trace(number):
    info = {
        "trace_id": f"tr-{number:032x}",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}},
        "request_time": "2024-01-01T00:00:00Z",
        "execution_duration": "1s",
        "state": "OK",
    }
    body = {"trace": {"trace_info": info}}
    session.post(f"{base}/api/3.0/mlflow/traces", json=body).raise_for_status()
    return info["trace_id"]


experiment = made("experiments/create", "experiment_id", {"name": "reviewed"})
other = made("experiments/create", "experiment_id", {"name": "also reviewed"})
run = made("runs/create", "run", {"experiment_id": experiment})["info"]["run_id"]
traces = [trace(number) for number in range(70_001, 70_006)]
ours = {"experiment_id": experiment}

# Issues.
found = {**ours, "name": "wrong capital", "description": "It says Milan."}
first = ask("POST", "issues", found)["issue"]["issue_id"]
full = {
    **found,
    "name": "rude",
    "status": "resolved",
    "severity": "high",
    "root_causes": ["prompt", "model"],
    "categories": ["tone"],
    "source_run_id": run,
    "created_by": "alice",
}
second = ask("POST", "issues", full)["issue"]["issue_id"]
third = ask("POST", "issues", {**found, "name": "slow", "severity": "low"})["issue"]["issue_id"]
for body in (
    {},
    ours,
    {**found, "name": ""},
    {**found, "experiment_id": "99999"},
    {**found, "experiment_id": "x"},
):
    ask("POST", "issues", body)
ask("GET", f"issues/{second}")
ask("GET", "issues/iss-none")
change = {"status": "rejected", "severity": "medium", "name": "wrong"}
ask("PATCH", f"issues/{first}", {"issue_id": first, **change})
ask("PATCH", f"issues/{first}", {"issue_id": first, "description": "", "name": ""})
ask("PATCH", "issues/iss-none", {"issue_id": "iss-none", "status": "pending"})
for trace_id in traces[:2]:
    path = f"traces/{trace_id}/assessments"
    source = {"source_type": "LLM_JUDGE", "source_id": "judge"}
    issue = {"assessment_name": third, "source": source, "issue": {"issue_name": "slow"}}
    session.post(f"{base}/api/3.0/mlflow/{path}", json={"assessment": issue}).raise_for_status()
for body in (
    ours,
    {**ours, "include_trace_count": True},
    {**ours, "max_results": 2},
    {**ours, "max_results": 0},
    {**ours, "max_results": 50_001},
    {**ours, "filter_string": "status = 'pending'"},
    {**ours, "filter_string": "status != 'pending' AND source_run_id != 'x'"},
    {**ours, "filter_string": "status = 'pending' AND source_run_id = 'x'"},
    {**ours, "filter_string": "status > 'pending'"},
    {"experiment_id": other, "max_results": 1},
    {"experiment_id": "99999"},
):
    ask("POST", "issues/search", body)

# Questions.
inputs = [
    {"pass_fail": {"positive_label": "Right", "negative_label": "Wrong"}},
    {"categorical": {"options": ["a", "b"], "multi_select": True}},
    {"numeric": {"min_value": 1, "max_value": 2.5}},
    {"text": {"max_length": 10}},
    {"text": {}},
]
schemas = []
for number, input_ in enumerate(inputs):
    body = {**ours, "name": f"question {number}", "type": "FEEDBACK", "input": input_}
    schemas.append(ask("POST", "label-schemas/create", body)["label_schema"]["schema_id"])
question = {**ours, "name": "new", "type": "EXPECTATION", "input": {"text": {}}}
more = {"instruction": "Say what you see.", "enable_comment": True}
schemas.append(ask("POST", "label-schemas/create", {**question, **more})["label_schema"]["schema_id"])
for body in (
    {},
    question,
    {**question, "name": "feedback "},
    {**question, "name": "x" * 251},
    {**question, "name": "n", "instruction": "x" * 1001},
    {**question, "name": "n", "type": "LABEL_SCHEMA_TYPE_UNSPECIFIED"},
    {**question, "name": "n", "input": {}},
    {**question, "name": "n", "input": {"pass_fail": {"positive_label": "a"}}},
    {**question, "name": "n", "input": {"pass_fail": {"positive_label": "a", "negative_label": "a"}}},
    {**question, "name": "n", "input": {"pass_fail": {"positive_label": "a" * 65, "negative_label": "a"}}},
    {**question, "name": "n", "input": {"categorical": {}}},
    {**question, "name": "n", "input": {"categorical": {"options": ["a", "a"]}}},
    {**question, "name": "n", "input": {"categorical": {"options": ["a", ""]}}},
    {**question, "name": "n", "input": {"categorical": {"options": ["a" * 65]}}},
    {**question, "name": "n", "input": {"categorical": {"options": list("abcdefghijk")}}},
    {**question, "name": "n", "input": {"numeric": {"min_value": 2, "max_value": 2}}},
    {**question, "name": "n", "input": {"text": {"max_length": 0}}},
    {**question, "name": "n", "experiment_id": "99999"},
):
    ask("POST", "label-schemas/create", body)
ask("GET", "label-schemas/get", {"schema_id": schemas[1]})
ask("GET", "label-schemas/get", {"schema_id": "ls-none"})
ask("GET", "label-schemas/get-by-name", {**ours, "name": "question 2"})
ask("GET", "label-schemas/get-by-name", {**ours, "name": "none"})
ask("GET", "label-schemas/get-by-name", {"experiment_id": "99999", "name": "none"})
for change in (
    {"name": "renamed"},
    {"name": "question 0"},
    {"name": "Feedback"},
    {"name": ""},
    {"instruction": "again", "enable_comment": True},
    {"input": {"categorical": {"options": ["c"], "multi_select": True}}},
    {"input": {"categorical": {"options": ["c"]}}},
    {"input": {"text": {}}},
):
    ask("PATCH", "label-schemas/update", {"schema_id": schemas[1], **change})
ask("PATCH", "label-schemas/update", {"schema_id": "ls-none", "name": "x"})
ask("DELETE", "label-schemas/delete", {"schema_id": schemas[4]})
ask("DELETE", "label-schemas/delete", {"schema_id": schemas[4]})
listed = session.get(f"{base}/api/3.0/mlflow/label-schemas/list", params=ours).json()["label_schemas"]
names = sorted(one["name"] for one in listed)
[default] = [one for one in listed if one["is_default"]]
answers.append({"asked": "list", "said": [names, shown({**default, "schema_id": "<default>"})]})
ask("GET", "label-schemas/list", {"experiment_id": "99999"})
ask("GET", "label-schemas/list", {**ours, "max_results": 0})
ask("PATCH", "label-schemas/update", {"schema_id": default["schema_id"], "name": "x"})
ask("DELETE", "label-schemas/delete", {"schema_id": default["schema_id"]})

# Queues.
custom = {**ours, "name": "Weekly", "queue_type": "CUSTOM"}
queue = ask("POST", "review-queues/create", {**custom, "users": ["Bob", " alice ", "bob"], "schema_ids": schemas[:2]})
queue = queue["review_queue"]["queue_id"]
own = ask("POST", "review-queues/get-or-create-user", {**ours, "user": " Alice"})["review_queue"]["queue_id"]
ask("POST", "review-queues/get-or-create-user", {**ours, "user": "ALICE"})
ask("POST", "review-queues/create", {**ours, "name": "Carol", "queue_type": "USER"})
for body in (
    {},
    custom,
    {**custom, "name": "weekly"},
    {**custom, "name": "Default"},
    {**custom, "name": "ALICE"},
    {**custom, "name": "x" * 251},
    {**custom, "name": "n", "users": [""]},
    {**custom, "name": "n", "users": [f"u{number}" for number in range(11)]},
    {**custom, "name": "n", "schema_ids": ["ls-none"]},
    {**custom, "name": "n", "queue_type": "REVIEW_QUEUE_TYPE_UNSPECIFIED"},
    {**custom, "name": "n", "experiment_id": "99999"},
    {**custom, "name": "dave", "queue_type": "USER", "users": ["eve"]},
    {**custom, "name": "dave", "queue_type": "USER", "schema_ids": schemas[:1]},
):
    ask("POST", "review-queues/create", body)
ask("POST", "review-queues/get-or-create-user", {**ours, "user": "weekly"})
ask("GET", "review-queues/get", {"queue_id": queue})
ask("GET", "review-queues/get", {"queue_id": "rq-none"})
for name in ("WEEKLY", "alice", "Carol", "nobody"):
    ask("GET", "review-queues/get-by-name", {**ours, "name": name})
for change in (
    {"name": "Monthly"},
    {"name": "alice"},
    {"name": "default"},
    {"new_owner": "Eve "},
    {"new_owner": " "},
    {"update_users": True, "users": ["carol"]},
    {"update_schema_ids": True, "schema_ids": [schemas[0]]},
    {"update_schema_ids": True, "schema_ids": ["ls-none"]},
    {"users": ["ignored"]},
):
    ask("POST", "review-queues/update", {"queue_id": queue, **change})
ask("POST", "review-queues/update", {"queue_id": own, "name": "other"})
ask("POST", "review-queues/update", {"queue_id": "rq-none", "name": "other"})

# What is in them.
items = {"queue_id": queue, "item_type": "TRACE", "item_ids": [*traces[:3], traces[0]]}
ask("POST", "review-queues/items/add", items)
ask("POST", "review-queues/items/add", {"queue_id": queue, "item_ids": [traces[0], traces[3]]})
ask("POST", "review-queues/items/add", {"queue_id": own, "item_ids": [traces[0]]})
for body in (
    {"queue_id": queue},
    {"queue_id": queue, "item_ids": [""]},
    {"queue_id": queue, "item_ids": ["x" * 51]},
    {"queue_id": queue, "item_ids": ["tr-none", traces[0]]},
    {"queue_id": "rq-none", "item_ids": [traces[0]]},
):
    ask("POST", "review-queues/items/add", body)
ask("POST", "review-queues/update", {"queue_id": queue, "update_schema_ids": True})
settle = {"queue_id": queue, "item_id": traces[0]}
for change in (
    {"status": "COMPLETE", "completed_by": "Alice"},
    {"status": "COMPLETE", "completed_by": "bob"},
    {"status": "DECLINED", "completed_by": "bob"},
    {"status": "PENDING", "completed_by": "bob"},
    {"status": "PENDING"},
    {"status": "COMPLETE"},
    {"status": "COMPLETE", "completed_by": " "},
    {"status": "COMPLETE", "completed_by": "x" * 251},
    {},
    {"item_id": traces[4], "status": "PENDING"},
    {"item_id": traces[1], "status": "COMPLETE", "completed_by": "carol"},
):
    ask("POST", "review-queues/items/set-status", {**settle, **change})
for query in ({}, {"status": "COMPLETE"}, {"max_results": 2}, {"max_results": 50_001}):
    ask("GET", "review-queues/items/list", {"queue_id": queue, **query})
ask("GET", "review-queues/items/list", {"queue_id": "rq-none"})
for query in ({"user": "CAROL"}, {"user": "nobody"}, {"item_id": traces[0]}, {"item_id": "none"}):
    answer = session.get(f"{base}/api/3.0/mlflow/review-queues/list", params={**ours, **query}).json()
    names = sorted(one["name"] for one in answer.get("review_queues", []))
    answers.append({"asked": f"queues {query}", "said": names})
ask("GET", "review-queues/list", {"experiment_id": "99999"})
ask("POST", "review-queues/items/remove", {"queue_id": queue, "item_ids": [traces[1], "none"]})
ask("POST", "review-queues/items/remove", {"queue_id": queue, "item_ids": []})
deletion = {"experiment_id": experiment, "request_ids": [traces[2]]}
session.post(f"{base}/api/3.0/mlflow/traces/delete-traces", json=deletion).raise_for_status()
ask("GET", "review-queues/items/list", {"queue_id": queue})
ask("POST", "review-queues/delete", {"queue_id": queue})
ask("POST", "review-queues/delete", {"queue_id": queue})
ask("GET", "review-queues/get", {"queue_id": queue})
print("RESULT " + json.dumps(answers))
