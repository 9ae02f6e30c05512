"""Sixteen tasks that check themselves; start with README.md in this folder."""
