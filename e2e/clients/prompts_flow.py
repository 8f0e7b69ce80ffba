"""What a user of MLflow's prompt registry does; prints what came out, as JSON.

The tracking server is named by MLFLOW_TRACKING_URI.
"""

import json
import logging
import threading

logging.getLogger("mlflow").setLevel(logging.ERROR)

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.datasets import load_iris
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


def settle():
    """Prompts are linked to experiments in threads of the client."""
    for thread in threading.enumerate():
        if thread.name.startswith("link_prompt"):
            thread.join()


mlflow.set_experiment("prompting")
text = "Answer {{ question }} in the voice of {{ persona.name }}."
first = mlflow.genai.register_prompt(
    name="qa", template=text, commit_message="first", tags={"team": "research"}
)
settle()
second = mlflow.genai.register_prompt(
    name="qa",
    template="Briefly: {{question}}",
    commit_message="shorter",
    response_format={"type": "object", "properties": {"answer": {"type": "string"}}},
    model_config={"model_name": "local", "temperature": 0.5, "max_tokens": 10},
)
settle()
chat = mlflow.genai.register_prompt(
    name="chat",
    template=[
        {"role": "system", "content": "You are {{style}}."},
        {"role": "user", "content": "{{question}}"},
    ],
)
settle()
out["versions"] = [first.version, second.version, chat.version]

mlflow.genai.set_prompt_alias("qa", alias="production", version=1)
by_version = mlflow.genai.load_prompt("prompts:/qa/2")
by_alias = mlflow.genai.load_prompt("prompts:/qa@production")
newest = mlflow.genai.load_prompt("prompts:/qa@latest")
out["by_version"] = {
    "template": by_version.template,
    "commit": by_version.commit_message,
    "format": by_version.response_format,
    "config": by_version.model_config,
    "filled": by_version.format(question="why?"),
}
out["by_alias"] = {"template": by_alias.template, "version": by_alias.version, "aliases": list(by_alias.aliases)}
out["latest"] = newest.version
loaded = mlflow.genai.load_prompt("chat", version=1)
out["chat"] = {"template": loaded.template, "text": loaded.is_text_prompt}
out["missing"] = mlflow.genai.load_prompt("qa", version=9, allow_missing=True)

mlflow.genai.set_prompt_tag("qa", "owner", "botany")
mlflow.genai.set_prompt_version_tag("qa", 1, "quality", "good")
out["tags"] = dict(mlflow.genai.get_prompt_tags("qa"))
out["version_tags"] = mlflow.genai.load_prompt("prompts:/qa/1", cache_ttl_seconds=0).tags
mlflow.genai.delete_prompt_tag("qa", "owner")
mlflow.genai.delete_prompt_version_tag("qa", 1, "quality")
out["tags_after"] = dict(mlflow.genai.get_prompt_tags("qa"))
mlflow.genai.set_prompt_model_config("qa", 1, {"temperature": 0.1})
out["config_after"] = mlflow.genai.load_prompt("prompts:/qa/1", cache_ttl_seconds=0).model_config

out["search"] = sorted(one.name for one in mlflow.genai.search_prompts())
out["search_name"] = [one.name for one in mlflow.genai.search_prompts("name LIKE 'q%'")]
out["search_tag"] = [one.name for one in mlflow.genai.search_prompts("tags.team = 'research'")]
experiment = mlflow.get_experiment_by_name("prompting").experiment_id
out["search_experiment"] = sorted(
    one.name for one in mlflow.genai.search_prompts(f"experiment_id = '{experiment}'")
)
page = client.search_prompts(max_results=1)
out["pages"] = sorted(one.name for one in [*page, *client.search_prompts(max_results=1, page_token=page.token)])
out["search_versions"] = sorted(one.version for one in client.search_prompt_versions("qa"))
out["models"] = [one.name for one in client.search_registered_models()]
out["model_versions"] = [one.name for one in client.search_model_versions()]

# What uses a prompt: a run, a logged model, a model whose MLmodel names it.
iris = load_iris()
with mlflow.start_run() as run:
    client.link_prompt_version_to_run(run.info.run_id, "prompts:/qa/1")
    client.link_prompt_version_to_run(run.info.run_id, "prompts:/chat/1")
    info = mlflow.sklearn.log_model(
        LogisticRegression(max_iter=500).fit(iris.data, iris.target),
        name="model",
        prompts=["prompts:/qa@production"],
    )
    external = mlflow.create_external_model(name="agent")
    client.link_prompt_version_to_model("qa", "2", external.model_id)
out["run"], out["model"], out["external"] = run.info.run_id, info.model_id, external.model_id
out["linked"] = json.loads(client.get_run(run.info.run_id).data.tags["mlflow.linkedPrompts"])

client.create_registered_model("iris")
out["refused"] = {
    "taken": refused(lambda: mlflow.genai.register_prompt(name="iris", template="x")),
    "model": refused(lambda: client.create_registered_model("qa")),
    "missing": refused(lambda: mlflow.genai.load_prompt("prompts:/none/1")),
    "alias": refused(lambda: mlflow.genai.load_prompt("prompts:/qa@nobody")),
    "long": refused(lambda: mlflow.genai.register_prompt(name="long", template="x" * 100_001)),
}
out["after_long"] = refused(lambda: client.get_registered_model("long"))

mlflow.genai.delete_prompt_alias("qa", "production")
client.delete_prompt_version("qa", "2")
out["versions_left"] = [one.version for one in client.search_prompt_versions("qa")]
client.delete_prompt("chat")
out["prompts_left"] = [one.name for one in mlflow.genai.search_prompts()]

print("RESULT " + json.dumps(out))
