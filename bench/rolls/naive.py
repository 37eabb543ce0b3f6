"""What a check of an inventory is to most: PyYAML's safe loader, then jsonschema. `naive.py SCHEMA FILE`."""

import json
import sys
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

schema, file = map(Path, sys.argv[1:])
errors = list(Draft202012Validator(json.loads(schema.read_text())).iter_errors(yaml.safe_load(file.read_text())))
print(f"{len(errors)} errors")
sys.exit(bool(errors))
