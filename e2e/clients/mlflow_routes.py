"""Prints every route of MLflow's own server as JSON: method and path, with `x` for what is variable."""

import json
import re

from mlflow.server import app

routes = {
    (method, re.sub(r"<[^>]*>", "x", rule.rule))
    for rule in app.url_map.iter_rules()
    for method in rule.methods - {"HEAD", "OPTIONS"}
}
print("RESULT " + json.dumps(sorted(routes)))
