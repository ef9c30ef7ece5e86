"""Sync: from what differs to what is done about it, in Argo CD's order of phases, waves and kinds.

A `Plan` says which task comes when and why, before anything is done; it is written into the operation (`recorded`),
and carrying it out is `carry`. What a sync has done so far stands in ``status.operationState.syncResult``, so that it
can be killed at any moment and gone on with.
"""
