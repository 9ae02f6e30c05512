"""What the four files stand on; not needed to follow a request.

rows.py runs statements and makes instances of their rows; settings.py reads the settings;
arguments.py translates those of a URL; engines.py knows each kind of database; schema.py migrates;
routing.py runs a route in one visit to a thread; errors.py answers what failed; middleware.py sees
every request; docs.py, admin.py and sql_lens.py are pages, of which windows.py opens the last two.
"""
