"""The compliance console: explains and proves every decision."""
