"""Screening of names against sanctions lists."""
