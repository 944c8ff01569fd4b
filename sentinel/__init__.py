"""Whether this may be done, by whom, under which rule, and its proof."""
