"""What the four files stand on; not needed to follow a request.

settings.py reads them; arguments.py translates those of a URL; engines.py knows each kind of
database; schema.py migrates; routing.py runs a route in one visit to a thread; errors.py answers
what failed; middleware.py sees every request.
"""
