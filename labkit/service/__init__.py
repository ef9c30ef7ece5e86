"""What ``labkit up`` runs: one process that keeps the cluster, the Git host and the controller going.

A trainee must not have to know how many parts a GitOps system has before seeing one work. So one process
starts the sandbox cluster beside it and restarts it should it die, serves Git and the API on one loopback
port, and runs the controller. It remembers nothing of its own: Applications are in the cluster, repositories
are bare Git folders, and the rest is in ``.lab/``. That is why it may be killed at any moment.
"""
