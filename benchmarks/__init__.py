"""How fast and how small the lab is: ``make bench``.

Machines differ and are busy, so every row is a *ratio* to something that is measured beside it in the same run: the
start of a bare Python, the `helm` command, `git ls-remote`. Compare ratios, not seconds. Nothing here is asserted.
"""
