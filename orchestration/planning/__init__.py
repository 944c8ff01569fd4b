"""Requests of several parts: split into tasks, checked as a graph, shown, and run step by step."""
