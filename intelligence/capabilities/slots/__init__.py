"""What a message names: amounts, dates, accounts, people, each with its place in the text."""
