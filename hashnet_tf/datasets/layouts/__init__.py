"""Data sets in the folders and formats in which they are handed out.

Each reads a folder to a `Pool`, and says in its docstring which files it
needs, and where.
"""
