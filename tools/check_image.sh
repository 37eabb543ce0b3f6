#!/bin/sh
# Says how large an image of the Action is, and fails where it is not what it must be: check_image.sh IMAGE MEGABYTES
set -eu
image=$1
most=$2

size=$(docker image inspect --format '{{.Size}}' "$image")
echo "$image: $((size / 1000000)) MB"
[ "$((size / 1000000))" -le "$most" ] || { echo "more than $most MB" >&2; exit 1; }

entry=$(docker image inspect --format '{{json .Config.Entrypoint}} as {{json .Config.User}}' "$image")
[ "$entry" = '["/usr/local/bin/deploygate"] as ""' ] || { echo "it starts $entry" >&2; exit 1; }

docker run --rm --entrypoint /bin/sh "$image" -eu -c '
  for tool in ssh rsync deploygate deploygate-post; do
    command -v "$tool" >/dev/null || { echo "$tool is missing" >&2; exit 1; }
  done
  for tool in cc gcc git /usr/local/bin/pip /opt/deploygate/bin/pip; do
    if command -v "$tool" >/dev/null; then echo "$tool is in the image" >&2; exit 1; fi
  done
  for module in deploygate.cli.main rich.live argparse; do
    /opt/deploygate/bin/python -Ic "
import importlib.util, os, sys
found = importlib.util.find_spec(sys.argv[1]).cached
sys.exit(None if os.path.exists(found) else f\"{found} is missing\")" "$module"
  done
'
# What stands in the workspace is never imported.
docker run --rm --env PYTHONPATH=/tmp/trap --workdir /tmp/trap --entrypoint /bin/sh "$image" -eu -c '
  echo "raise SystemExit(1)" >click.py
  deploygate --version
  deploygate-post action
'
