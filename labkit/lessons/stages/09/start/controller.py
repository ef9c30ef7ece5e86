"""A controller of your own: it makes a namespace as a folder says.

python controller.py FOLDER NAMESPACE           pass after pass, until Ctrl-C
python controller.py FOLDER NAMESPACE --once    one pass
"""

import sys
import time
from pathlib import Path

import yaml

from labkit import Lab

KINDS = [("v1", "ConfigMap"), ("v1", "Service"), ("apps/v1", "Deployment")]
LABEL, OURS = "app.kubernetes.io/managed-by", "my-loop"


def desired(folder, namespace):
    """What the folder's files want, by kind and name."""
    found = {}
    for file in sorted(folder.glob("*.yaml")):
        for obj in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            obj["metadata"]["namespace"] = namespace
            found[obj["kind"], obj["metadata"]["name"]] = obj
    return found


def live(cluster, namespace):
    """What is in the namespace, by kind and name."""
    found = {}
    for version, kind in KINDS:
        for obj in cluster.list(version, kind, namespace).items:
            found[kind, obj["metadata"]["name"]] = obj
    return found


def differs(cluster, wanted, there):
    """Whether an object that is there is not as wanted."""
    return wanted != there


def reconcile(cluster, folder, namespace):
    """One pass. Returns what it did, one line for each object: "create ConfigMap/page"."""
    done = []
    # Your turn.
    return done


def main():
    folder, namespace, *once = sys.argv[1:]
    cluster = Lab().cluster
    while True:
        for line in reconcile(cluster, Path(folder), namespace):
            print(line, flush=True)
        if once:
            break
        time.sleep(1)


if __name__ == "__main__":
    main()
