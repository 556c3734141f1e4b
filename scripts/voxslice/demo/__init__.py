"""The embedded study: synthetic speech and practice models, made offline in under a minute.

It shows how the workflow works on any machine. Its results say nothing about people: every voice is
a set of numbers for the speech synthesiser espeak-ng, and every age is nominal.
"""
