"""``labkit cluster``: sandboxes, kind, or one of the person's own."""

from __future__ import annotations

from typing import Annotated

import typer

from labkit.cli.complete import clusters
from labkit.cli.output import Format, Output, listing, structured
from labkit.cli.session import confirm, note, say, session

Of = Annotated[
    str, typer.Option("--cluster", help="The cluster; the lab's first one.", autocompletion=clusters)
]
Name = Annotated[str, typer.Argument(help="The cluster's name.")]


def create(
    name: Name,
    provider: Annotated[str, typer.Option(help="sandbox or kind.")] = "sandbox",
    output: Output = Format.TABLE,
) -> None:
    """Create a cluster beside the lab's first one."""
    from labkit.lab.clusters import Clusters

    made = Clusters(session.own()).create(name, provider=provider)
    if output is Format.NAME:
        say(name)
    elif not structured(made.to_json(), output):
        say(f"Cluster {name} is ready.")
        say(f"  export KUBECONFIG=$(labkit kubeconfig {name})")


def list_(output: Output = Format.TABLE) -> None:
    """List the lab's clusters."""
    from labkit.lab.clusters import Clusters

    listing(
        [cluster.to_json() for cluster in Clusters(session.own())],
        output,
        {
            "NAME": lambda c: c["name"],
            "PROVIDER": lambda c: c["provider"],
            "STATE": lambda c: c["state"],
            "SERVER": lambda c: c["server"],
        },
        wide={"KUBECONFIG": lambda c: c["kubeconfig"]},
        empty="No clusters yet. Start the lab: labkit up",
    )


def delete(
    name: Annotated[str, typer.Argument(help="The cluster's name.", autocompletion=clusters)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a cluster that the lab made, with everything in it."""
    from labkit.lab.clusters import Clusters

    clusters = Clusters(session.own())
    found = clusters[name]
    confirm(f"Delete cluster {name} and everything in it?", yes=yes, where=found.server)
    clusters.delete(name)
    note(f"cluster {name} deleted")


def images(output: Output = Format.TABLE) -> None:
    """List the images that a sandbox knows how to behave like. Any other is pulled, runs, and does nothing."""
    from labkit.sandbox.images import listing as known

    listing(
        [
            {"name": name, "megabytes": entry.megabytes, "about": entry.about, "tags": entry.tags}
            for name, entry in known()
        ],
        output,
        {
            "IMAGE": lambda i: i["name"],
            "SIZE": lambda i: f"{i['megabytes']} MB",
            "WHAT IT DOES": lambda i: i["about"],
        },
        wide={"TAGS": lambda i: i["tags"]},
        empty="",
    )


def snapshot(
    name: Annotated[str, typer.Argument(help="The snapshot's name; without one they are listed.")] = "",
    cluster: Of = "lab",
    delete: Annotated[bool, typer.Option("--delete", help="Delete the snapshot instead.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Save a sandbox's state under a name, or list what is saved. It takes a moment, and the cluster goes on running.

    A snapshot of that name is replaced, and the answer says so. Without a name: list the snapshots.
    """
    from labkit.lab.clusters import Clusters

    found = Clusters(session.own())
    if not name:
        columns = {
            "NAME": lambda s: s["name"],
            "CREATED": lambda s: s["created"],
            "SIZE": lambda s: f"{s['bytes'] / 1e6:.1f} MB",
        }
        empty = "No snapshots yet: labkit cluster snapshot NAME"
        listing(found.snapshots(cluster), output, columns, empty=empty)
        return
    made = found.forget(cluster, name) if delete else found.snapshot(cluster, name)
    if not structured(made, output):
        place = f" in place of the one of {made['replaced']}" if "replaced" in made else ""
        say(f"Snapshot {name} {'is deleted' if delete else f'of cluster {cluster} is saved{place}'}.")


def restore(
    name: Annotated[str, typer.Argument(help="The snapshot's name.")],
    cluster: Of = "lab",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Make a sandbox's state what it was when the snapshot was saved. What came since is gone."""
    from labkit.lab.clusters import Clusters

    found = Clusters(session.own())
    confirm(f"Give up what changed in cluster {cluster} since snapshot {name}?", yes=yes, where=cluster)
    done = found.restore(cluster, name)
    if not structured(done, output):
        say(f"Cluster {cluster} is as it was: {done['changed']} objects changed.")
