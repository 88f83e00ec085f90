"""Works on the walls of one page, to walk along."""
