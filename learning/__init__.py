"""What is learned from, and which model is live: plain files that the console and the shell both know.

A leaf: it imports nothing of ours.
"""
