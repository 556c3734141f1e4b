"""The report: one HTML file made from the tables of a study.

`study` contains the results of the workflow. One module per section turns them into sentences,
tables (`tables`) and charts (`drawing`). `page` renders the page.
"""
