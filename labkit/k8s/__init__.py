"""Kubernetes' vocabulary as pure data: what an object is, how it is named, selected, measured and patched.

Nothing here talks to a cluster or keeps state. The sandbox serves these rules and the GitOps engine works by
them, so that both mean the same thing by the same word.
"""
