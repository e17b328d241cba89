"""The demo store: a believable shop of any size whose true margins, repeat rates and verdicts are known."""
