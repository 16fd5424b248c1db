"""The page for people: plain files of ours, a chart library out of a wheel, and what serves them."""
