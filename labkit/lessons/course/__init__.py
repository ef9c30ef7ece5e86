"""The lessons, one module each: what their exercises look at, and how their author would do them.

What is said to the trainee stands in ``text/<language>/<number>.toml``, the starting files in
``stages/<number>/``, the lesson itself in ``notebooks/<number>-….md``.
"""
