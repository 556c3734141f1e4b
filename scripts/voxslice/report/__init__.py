"""The report: one HTML file made from the tables of a study.

`study` holds what the workflow has written, `answer`, `content` and `clips` turn it into plain
data, `charts` draws, and `page` puts all of it on one page.
"""
