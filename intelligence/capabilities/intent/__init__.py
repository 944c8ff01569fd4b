"""What the customer wants: a calibrated linear model over words and letter groups."""
