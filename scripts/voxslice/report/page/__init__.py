"""The page of the report: its template, style and script, and what fills them in."""
