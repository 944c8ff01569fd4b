"""What a message names: amounts, dates, accounts, people. Deterministic, each value with its place in the text."""
