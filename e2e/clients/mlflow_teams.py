"""What two teams do with the unmodified mlflow client, each with a key of its own; prints JSON.

MLFLOW_TRACKING_URI names the server; KEY_ADMIN, KEY_ALPHA and KEY_BETA are API keys.
"""

import http.server
import json
import logging
import os
import threading
import time

logging.getLogger("mlflow").setLevel(logging.ERROR)
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"

import mlflow
from mlflow import MlflowClient
from mlflow.entities.webhook import WebhookEvent
from mlflow.exceptions import MlflowException
from mlflow.webhooks.delivery import _generate_hmac_signature

out = {}


def use(key, workspace=None):
    os.environ["MLFLOW_TRACKING_TOKEN"] = os.environ["KEY_" + key]
    mlflow.set_workspace(workspace)


def refused(call):
    """The error code that a call is refused with."""
    try:
        call()
    except MlflowException as error:
        return error.error_code
    return None


client = MlflowClient()

# The administrator makes the workspaces; teams cannot.
use("ADMIN")
for name in ("alpha", "beta"):
    mlflow.create_workspace(name, description="team " + name)
mlflow.update_workspace("beta", description="the other team")
out["workspaces"] = [[each.name, each.description] for each in mlflow.list_workspaces()]
out["twice"] = refused(lambda: mlflow.create_workspace("alpha"))
use("ALPHA")
out["alpha_sees"] = [each.name for each in mlflow.list_workspaces()]
out["alpha_creates"] = refused(lambda: mlflow.create_workspace("mine"))


def train(team):
    """The same names in both workspaces."""
    experiment = mlflow.set_experiment("churn")
    with mlflow.start_run() as run:
        mlflow.log_metric("of_" + team, 1)
        mlflow.log_text("of " + team, "note.txt")
    client.create_registered_model("churn", tags={"team": team})
    client.create_model_version("churn", f"runs:/{run.info.run_id}/model", run.info.run_id)
    return experiment.experiment_id, run.info.run_id


use("ALPHA", "alpha")
alpha_experiment, alpha_run = train("alpha")
# A key of one team needs no workspace to be named.
use("BETA")
beta_experiment, beta_run = train("beta")

use("BETA", "beta")
out["beta_reads"] = {
    "run": refused(lambda: client.get_run(alpha_run)),
    "own_run": client.get_run(beta_run).data.metrics,
    "model": client.get_registered_model("churn").tags,
    "note": mlflow.artifacts.load_text(f"runs:/{beta_run}/note.txt"),
    "alpha_note": refused(lambda: mlflow.artifacts.load_text(f"runs:/{alpha_run}/note.txt")),
    "write": refused(lambda: client.log_metric(alpha_run, "stolen", 1)),
}
use("BETA", "alpha")
out["beta_in_alpha"] = refused(lambda: client.get_run(alpha_run))
use("ADMIN", "alpha")
out["admin_in_alpha"] = client.get_run(alpha_run).data.metrics
use("ADMIN", "nowhere")
out["nowhere"] = refused(lambda: client.get_run(alpha_run))
use("ADMIN")
out["restricted"] = refused(lambda: mlflow.delete_workspace("beta"))


# Webhooks of a team: a receiver on this machine, which the server was told to allow.
calls = []


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        calls.append((dict(self.headers), body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"thanks")

    def log_message(self, *_args):
        pass


receiver = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{receiver.server_port}/hook"

use("ALPHA", "alpha")
webhook = client.create_webhook(
    name="ci",
    url=url,
    events=["model_version_alias.created", WebhookEvent("prompt_version", "created")],
    description="tells the pipeline",
    secret="hush",
)
out["webhook"] = {
    "status": str(webhook.status),
    "events": [str(event) for event in webhook.events],
    "description": webhook.description,
    "secret": webhook.secret,
}
out["private"] = refused(
    lambda: client.create_webhook("x", "https://192.168.0.1/", ["prompt.created"])
)
tested = client.test_webhook(webhook.webhook_id)
out["tested"] = [tested.success, tested.response_status, tested.response_body]

client.set_registered_model_alias("churn", "champion", 1)
mlflow.genai.register_prompt("greeting", "Hello {{name}}!", commit_message="first")
use("BETA", "beta")
client.set_registered_model_alias("churn", "champion", 1)
out["beta_webhooks"] = len(client.list_webhooks())
out["beta_gets"] = refused(lambda: client.get_webhook(webhook.webhook_id))

use("ALPHA", "alpha")
deadline = time.time() + 10
while len(calls) < 3 and time.time() < deadline:
    time.sleep(0.05)
time.sleep(0.3)


def is_signed(headers, body):
    expected = _generate_hmac_signature(
        "hush", headers["x-mlflow-delivery-id"], headers["x-mlflow-timestamp"], body
    )
    return headers["x-mlflow-signature"] == expected


lower = [({name.lower(): value for name, value in headers.items()}, body) for headers, body in calls]
out["signed"] = [is_signed(headers, body) for headers, body in lower]
out["told"] = [
    [told["entity"] + "." + told["action"], told["workspace"], told["data"]]
    for told in (json.loads(body) for _, body in lower)
]

changed = client.update_webhook(webhook.webhook_id, status="DISABLED", name="paused")
out["changed"] = [changed.name, str(changed.status), changed.url == url]
out["listed"] = [each.name for each in client.list_webhooks(max_results=1)]
client.delete_webhook(webhook.webhook_id)
out["deleted"] = refused(lambda: client.get_webhook(webhook.webhook_id))

print("RESULT " + json.dumps(out))
