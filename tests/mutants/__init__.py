"""Mutation proof: small mistakes made in every solution, each of which the checks must reject.

`python -m tests.mutants` makes the mutants, runs the exercise's checks on each and prints the share
that was rejected. A mutant that passes is either a check that is too weak, or as right as the
solution: then it stands in justified.toml with the reason. What a starter has written already is
left as it is, because no learner writes it; --given changes it too.

`pytest -m long` tries 100 of those without a reason, others each day. likely.json says which checks
to try first; --write-likely renews it.

Why not a kept tool, tried in November 2026: mutmut 3.8 leaves decorated functions and class bodies
alone, so of ex01's routes, fields and bounds it changes nothing (28 mutants, in three helpers).
cosmic-ray 8.7 changes numbers, decorators and comparisons (63 mutants), edits the source in place
and starts a fresh Python for each. Neither removes a statement, a clause of a query or an argument,
which is what wrong solutions are made of, and neither has a list of equivalent mutants.
"""
