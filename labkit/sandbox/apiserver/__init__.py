"""What an API server does between a request and the store.

A request is read by `http`, routed (`routing`), its sender recognised (`authentication`) and asked for
permission (`authorization`).  Then `verbs` does what it asks: decode the body by its schema (`codec`,
`structural`), fill in what the author left out (`defaults`), check it (`validation`), write it.  What comes
back may be an object, a list, a table (`tables`) or a watch (`watch`).

Everything is built from the kinds' schemas.  What no schema says stands in one table a subject: `go_values`,
`defaults`, `validation`, `printers`, `kinds`.
"""
