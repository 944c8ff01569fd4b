"""The systems the bank reaches; only the gateway calls them."""
