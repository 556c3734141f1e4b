"""The embedded study: synthetic speech and practice models, made offline in under a minute.

It shows the whole workflow on any machine and says nothing about people: every voice is a set of
numbers for the speech synthesiser espeak-ng, every age is nominal.
"""
