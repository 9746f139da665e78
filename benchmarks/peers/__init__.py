"""tir beside its peers: the same programs, each in a process of its own, checked against float64, as one table.

`programs` are what is computed, `workloads` of what; `contestant` lists the peers, of which each has a module `in_..`.
`runner` starts a `worker` for each cell, and `table` and `picture` show what they found. docs/performance.md has more.
"""
