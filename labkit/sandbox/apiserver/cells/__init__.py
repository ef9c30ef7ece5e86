"""What stands in the cells of ``kubectl get``, a module a subject; `printers` says which kind has which.

Source: Kubernetes 1.36, pkg/printers/internalversion/printers.go.
"""
