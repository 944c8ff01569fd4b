"""How likely a payment is fraud: an additive model whose every contribution can be read."""
