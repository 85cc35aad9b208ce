"""The tab "Try on", with the mask that a visitor corrects."""
